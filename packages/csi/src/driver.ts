import { RpcError, type RpcHandlers, type RpcServer, serveRpc } from '@coxswain/cri';
import { Controller, Identity, Node } from './generated/csi/v1/csi_pb.js';

export type IdentityService = RpcHandlers<typeof Identity>;
/** Calls left out answer UNIMPLEMENTED; `controllerGetCapabilities` tells which there are. */
export type ControllerService = Partial<RpcHandlers<typeof Controller>> & Pick<RpcHandlers<typeof Controller>, 'controllerGetCapabilities'>;
export type NodeService = Partial<RpcHandlers<typeof Node>> &
  Pick<RpcHandlers<typeof Node>, 'nodeGetCapabilities' | 'nodeGetInfo' | 'nodePublishVolume' | 'nodeUnpublishVolume'>;

/** The status a driver answers with. Anything else that is thrown becomes UNKNOWN. */
export class CsiError extends RpcError {}

export interface ServeCsiOptions {
  /** `unix:///run/….sock`; made with mode 0600. A stale socket is replaced. */
  readonly endpoint: string;
  readonly identity: IdentityService;
  readonly controller?: ControllerService;
  readonly node?: NodeService;
}

/** Serve a CSI v1 driver on a unix socket. Resolves once the socket accepts calls. */
export function serveCsi({ endpoint, identity, controller, node }: ServeCsiOptions): Promise<RpcServer> {
  return serveRpc({
    endpoint,
    services: [
      { service: Identity, handlers: identity },
      ...(controller ? [{ service: Controller, handlers: controller }] : []),
      ...(node ? [{ service: Node, handlers: node }] : []),
    ],
  });
}
