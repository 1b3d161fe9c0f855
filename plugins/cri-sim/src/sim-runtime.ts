import { connectCriInProcess, type CriConnection, type ImageService, type RuntimeService, serveCri, StreamingServer } from '@coxswain/cri';
import { type Clock, type Random, systemClock, systemRandom } from '@coxswain/sdk';
import { type ContainerRule, containerRule, type ImageRule, imageRule } from './script/script-schema.js';
import { Scripts } from './script/scripts.js';
import { SimImageService } from './service/image-service.js';
import { SimRuntimeService } from './service/runtime-service.js';
import { SimStreaming } from './service/streaming.js';
import { Simulation } from './sim/simulation.js';
import { StateFolder, volatileState } from './sim/state-folder.js';

export interface SimRuntimeOptions {
  /** Scripts by image, container, pod, namespace or command; as in the plugin's configuration. A `ScriptError` says what is wrong in one. */
  readonly containers?: readonly unknown[];
  /** How pulls of images go. */
  readonly images?: readonly unknown[];
  /** Images that are there from the beginning. */
  readonly present?: readonly string[];
  /** Where pods get their addresses from; absent: the kubelet says so, and the network is not ready before. */
  readonly podCIDR?: string;
  /** A folder in which pods and containers outlive this process; absent: they do not. */
  readonly root?: string;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A simulated container runtime. */
export interface SimRuntime {
  readonly runtime: RuntimeService;
  readonly image: ImageService;
  /** Why what listens at a pod's address does not answer now; undefined: it does. For the network probes of a kubelet. */
  refusal(podIP: string): string | undefined;
  /** For a kubelet in this process, without a socket. */
  connect(): CriConnection;
  /** Serve on `unix:///…` until `close`. */
  serve(endpoint: string): Promise<void>;
  /** Stops all that goes on. What has a `root` is found again by the next runtime of it. */
  close(): Promise<void>;
}

/** Make a simulated runtime. Throws a `ScriptError` when a rule is wrong. */
export function createSimRuntime(options: SimRuntimeOptions = {}): SimRuntime {
  const { clock = systemClock, random = systemRandom } = options;
  const rules = (options.containers ?? []).map((rule, i): ContainerRule => containerRule(rule, `containers[${i}]`));
  const imageRules = (options.images ?? []).map((rule, i): ImageRule => imageRule(rule, `images[${i}]`));
  const scripts = new Scripts(rules, imageRules);
  const state = options.root === undefined ? volatileState : new StateFolder(options.root);
  const simulation = new Simulation({ clock, random, scripts, state, podCIDR: options.podCIDR ?? '' });
  const images = new SimImageService({ clock, scripts, save: (references) => state.saveImages(references), mountpoint: options.root ?? '/' });
  for (const reference of [...(options.present ?? []), ...state.load().images]) images.add(reference);
  simulation.recover();

  let streaming: Promise<StreamingServer> | undefined;
  const runtime = new SimRuntimeService({
    simulation,
    images,
    clock,
    saveResources: (container) => state.saveContainer(container.record),
    streaming: () => (streaming ??= StreamingServer.start({ handler: new SimStreaming(simulation, clock), clock })),
  });
  const connections: CriConnection[] = [];
  const servers: { close(): Promise<void> }[] = [];
  return {
    runtime,
    image: images,
    refusal: (podIP) => simulation.refusal(podIP),
    connect() {
      const connection = connectCriInProcess({ runtime, image: images, clock });
      connections.push(connection);
      return connection;
    },
    async serve(endpoint) {
      servers.push(await serveCri({ endpoint, runtime, image: images }));
    },
    async close() {
      for (const connection of connections.splice(0)) connection.close();
      await Promise.all(servers.splice(0).map((server) => server.close()));
      await (await streaming)?.close();
      simulation.close();
    },
  };
}
