import { Clock, ComponentStateCell, configObject, type ConfigField, CriServer, definePlugin, field, PluginPoint, Random } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import type { Parse } from './script/parse.js';
import { containerRule, imageRule } from './script/script-schema.js';
import { createSimRuntime, type SimRuntime, type SimRuntimeOptions } from './sim-runtime.js';

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
            new SimCriServer(endpoint, { ...config, clock, random, ...(root === undefined ? {} : { root }), ...(podCIDR === undefined ? {} : { podCIDR }) }),
          [Clock, Random],
        )
        .inSingletonScope();
    }),
});

/** The simulated runtime as a component of a host. */
export class SimCriServer implements CriServer {
  readonly name = 'cri-sim';
  readonly #cell = new ComponentStateCell();
  readonly state$: CriServer['state$'] = this.#cell.state$;
  #running: SimRuntime | undefined;

  constructor(
    readonly endpoint: string,
    private readonly options: SimRuntimeOptions,
  ) {}

  async start(): Promise<void> {
    if (this.#running) return;
    this.#cell.set('starting');
    try {
      const runtime = createSimRuntime(this.options);
      await runtime.serve(this.endpoint);
      this.#running = runtime;
    } catch (error) {
      this.#cell.set('failed', (error as Error).message);
      throw error;
    }
    this.#cell.set('ready');
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    this.#cell.set('stopping');
    await running.close();
    this.#cell.set('stopped');
  }
}
