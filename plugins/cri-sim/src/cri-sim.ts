import { Clock, configObject, type ConfigField, CriServer, defineCriServer, definePlugin, field, PluginPoint, Random } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import type { Parse } from './script/parse.js';
import { containerRule, imageRule } from './script/script-schema.js';
import { createSimRuntime, type SimRuntimeOptions } from './sim-runtime.js';

/** A list of rules: kept as written, so that whoever makes the runtime reads them; here only checked. */
function rules(name: string, rule: Parse<unknown>): ConfigField<readonly unknown[]> {
  return {
    required: false,
    fallback: [],
    parse(value) {
      if (!Array.isArray(value)) return { message: 'must be a list' };
      try {
        for (const [i, entry] of value.entries()) rule(entry, `${name}[${i}]`);
        return { value };
      } catch (error) {
        return { message: (error as Error).message };
      }
    },
  };
}

/** Binds `CriServer`: a runtime whose containers are simulated, on a real CRI socket. */
export const criSim = definePlugin({
  point: PluginPoint.cri,
  name: 'cri-sim',
  description: 'CRI server whose containers are simulated, by script',
  sdk: '^0.1.0',
  requires: [Clock, Random],
  config: configObject({
    endpoint: field.string(),
    root: field.optional(field.string()),
    podCIDR: field.optional(field.string()),
    present: field.list(field.string(), []),
    containers: rules('containers', containerRule),
    images: rules('images', imageRule),
  }),
  module: ({ endpoint, root, podCIDR, ...config }) =>
    new ContainerModule(({ bind }) => {
      bind(CriServer)
        .toResolvedValue(
          (clock: Clock, random: Random) =>
            simCriServer(endpoint, { ...config, clock, random, ...(root === undefined ? {} : { root }), ...(podCIDR === undefined ? {} : { podCIDR }) }),
          [Clock, Random],
        )
        .inSingletonScope();
    }),
});

/** The simulated runtime as a component of a host. */
export const simCriServer = (endpoint: string, options: SimRuntimeOptions): CriServer =>
  defineCriServer('cri-sim', endpoint, async () => {
    const runtime = createSimRuntime(options);
    await runtime.serve(endpoint);
    return () => runtime.close();
  });
