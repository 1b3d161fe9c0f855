import type { RpcHandlers } from './rpc/types.js';
import type { ImageService as ImageServiceDesc, RuntimeService as RuntimeServiceDesc } from './generated/runtime/v1/api_pb.js';

type RuntimeHandlers = RpcHandlers<typeof RuntimeServiceDesc>;
type ImageHandlers = RpcHandlers<typeof ImageServiceDesc>;

type OptionalRuntimeMethod =
  | 'streamPodSandboxes'
  | 'streamContainers'
  | 'streamContainerStats'
  | 'streamPodSandboxStats'
  | 'streamPodSandboxMetrics'
  | 'checkpointContainer'
  | 'getContainerEvents'
  | 'listMetricDescriptors'
  | 'listPodSandboxMetrics'
  | 'runtimeConfig'
  | 'updatePodSandboxResources'
  | 'podSandboxStats'
  | 'listPodSandboxStats';

type OptionalImageMethod = 'streamImages';

/**
 * What a container runtime implements: one async method per RPC of CRI v1. Methods left out answer UNIMPLEMENTED.
 *
 * Contract (held by `criSuite` in @coxswain/sdk-testing):
 * - Throw `CriError` for a certain status; anything else is answered as UNKNOWN.
 * - Stop and Remove calls are idempotent: an id that is gone is success.
 * - Ids may be given by an unambiguous prefix.
 * - Times are nanoseconds since the epoch, as bigint.
 */
export interface RuntimeService extends Omit<RuntimeHandlers, OptionalRuntimeMethod>, Partial<Pick<RuntimeHandlers, OptionalRuntimeMethod>> {}

/** What serves images to a runtime: one async method per RPC of CRI v1's ImageService. */
export interface ImageService extends Omit<ImageHandlers, OptionalImageMethod>, Partial<Pick<ImageHandlers, OptionalImageMethod>> {}
