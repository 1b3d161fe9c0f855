import type { Edge, Node } from '@xyflow/react';
import { callsOf, type Part, type PartKind, partsOf, type Topology } from './parts';

export type PartNode = Node<{ readonly part: Part }, 'part'>;
export type FrameNode = Node<{ readonly title: string }, 'frame'>;
export type CallEdge = Edge<{ readonly label: string }, 'call'>;

const WIDTH = 172;
const HEIGHT = 82;
const FRAME = { width: 440, height: 358 };
const GAP = 36;
const CONTROL = { x: 240, y: 0, width: 640, height: 262 };

const CONTROL_PLACES: Partial<Record<PartKind, readonly [number, number]>> = {
  clients: [0, 94],
  scheduler: [264, 44],
  'controller-manager': [264, 164],
  apiserver: [476, 94],
  store: [686, 44],
  'cloud-controller-manager': [686, 164],
  dns: [948, 94],
};
const WORKER_PLACES: Partial<Record<PartKind, readonly [number, number]>> = {
  kubelet: [24, 44],
  cri: [24, 152],
  cni: [24, 260],
  'kube-proxy': [244, 44],
  rules: [244, 152],
  pods: [244, 260],
};

/** Sides an edge leaves and enters by: l(eft), r(ight), t(op), b(ottom). */
const SIDES: Partial<Record<string, readonly [string, string]>> = {
  'clients>apiserver': ['r', 'l'],
  'apiserver>store': ['r', 'l'],
  'scheduler>apiserver': ['r', 't'],
  'controller-manager>apiserver': ['r', 'b'],
  'cloud-controller-manager>apiserver': ['l', 'r'],
  'dns>apiserver': ['l', 'r'],
  'kubelet>apiserver': ['t', 'b'],
  'kube-proxy>apiserver': ['t', 'b'],
  'kubelet>cri': ['b', 't'],
  'cri>pods': ['r', 'l'],
  'cri>cni': ['b', 't'],
  'kube-proxy>rules': ['b', 't'],
  'pods>dns': ['r', 'b'],
};

/** Where everything is drawn: the control plane above, the worker nodes below. */
export function layoutOf(topology: Topology): { readonly nodes: (PartNode | FrameNode)[]; readonly edges: CallEdge[] } {
  const parts = partsOf(topology);
  const count = topology.nodes.length;
  const left = CONTROL.x + CONTROL.width / 2 - (count * FRAME.width + (count - 1) * GAP) / 2;
  const top = CONTROL.height + 84;
  const originOf = (node: string) => ({ x: left + topology.nodes.indexOf(node) * (FRAME.width + GAP), y: top });
  const frame = (id: string, title: string, at: { x: number; y: number }, size: { width: number; height: number }): FrameNode => ({
    id,
    type: 'frame',
    position: at,
    data: { title },
    style: { ...size },
    draggable: false,
    selectable: false,
    focusable: false,
    zIndex: -1,
  });
  const frames = [
    frame('frame', 'Control plane', CONTROL, CONTROL),
    ...topology.nodes.map((node) => frame(`frame@${node}`, `Node ${node}`, originOf(node), FRAME)),
  ];
  const placed = parts.map((part): PartNode => {
    const origin = part.node === undefined ? { x: 0, y: 0 } : originOf(part.node);
    const [x, y] = (part.node === undefined ? CONTROL_PLACES : WORKER_PLACES)[part.kind] ?? [0, 0];
    return {
      id: part.id,
      type: 'part',
      position: { x: origin.x + x, y: origin.y + y },
      data: { part },
      // The library lets go of the pointer over what can be neither moved nor selected.
      style: { width: WIDTH, height: HEIGHT, pointerEvents: 'all' },
      draggable: false,
      focusable: false,
    };
  });
  const kindOf = (id: string) => id.split('@')[0];
  const edges = callsOf(topology).map((call): CallEdge => {
    const [sourceHandle, targetHandle] = SIDES[`${kindOf(call.from)}>${kindOf(call.to)}`] ?? ['b', 't'];
    return { id: call.id, type: 'call', source: call.from, target: call.to, sourceHandle, targetHandle, data: { label: call.label }, focusable: false };
  });
  return { nodes: [...frames, ...placed], edges };
}
