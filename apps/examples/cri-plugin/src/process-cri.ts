import { serveCri } from '@coxswain/cri';
import { Clock, configObject, CriServer, defineComponent, definePlugin, field, PluginPoint, Random } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { startProcessRuntime } from './process-runtime.js';

/** The runtime as a component that serves CRI on `endpoint`. */
export function processCriServer(endpoint: string, clock: Clock, random: Random): CriServer {
  const component = defineComponent('cri-processes', async () => {
    const { runtime, image, close } = await startProcessRuntime(clock, random);
    const server = await serveCri({ endpoint, runtime, image });
    return async () => {
      await server.close();
      await close();
    };
  });
  return { ...component, endpoint };
}

export const processCri = definePlugin({
  point: PluginPoint.cri,
  name: 'cri-processes',
  description: 'a runtime whose containers are plain processes',
  sdk: '^0.1.0',
  requires: [Clock, Random],
  config: configObject({ endpoint: field.string() }),
  module: ({ endpoint }) =>
    new ContainerModule(({ bind }) => {
      bind(CriServer)
        .toResolvedValue((clock: Clock, random: Random) => processCriServer(endpoint, clock, random), [Clock, Random])
        .inSingletonScope();
    }),
});
