import type { Namespace, Node } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { nodeAddress, nodeRoles, nodeStatus } from '../../printing/node-cells.js';
import { mergeFinalizers, namespaceFinalizeStrategy, namespaceStatusStrategy, namespaceStrategy } from '../../strategies/namespace.js';
import { nodeStatusStrategy, nodeStrategy } from '../../strategies/node.js';
import { proxy } from '../actions.js';
import { ALL_VERBS, type Row, selectable } from '../define.js';

export const nodes: Row = {
  kind: 'Node',
  resource: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  storagePrefix: '/registry/minions',
  strategy: nodeStrategy,
  status: nodeStatusStrategy,
  selectableFields: { 'spec.unschedulable': (object) => String(object.spec?.unschedulable === true) },
  subresources: [proxy('NodeProxyOptions')],
  columns: [
    nameColumn,
    column<Node>('Status', nodeStatus),
    column<Node>('Roles', nodeRoles),
    ageColumn,
    column<Node>('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
    column<Node>('Internal-IP*', (node) => nodeAddress(node, 'InternalIP')),
    column<Node>('External-IP*', (node) => nodeAddress(node, 'ExternalIP')),
    column<Node>('OS-Image*', ({ status }) => status?.nodeInfo?.osImage || '<unknown>'),
    column<Node>('Kernel-Version*', ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>'),
    column<Node>('Container-Runtime*', ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>'),
  ],
};

export const namespaces: Row = {
  kind: 'Namespace',
  resource: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ALL_VERBS.filter((verb) => verb !== 'deletecollection'),
  strategy: namespaceStrategy,
  status: namespaceStatusStrategy,
  selectableFields: selectable('status.phase'),
  subresources: [
    {
      type: 'part',
      name: 'finalize',
      verbs: ['update'],
      strategy: namespaceFinalizeStrategy,
      merge: mergeFinalizers,
    },
  ],
  columns: [nameColumn, column<Namespace>('Status', ({ status }) => status?.phase ?? ''), ageColumn],
};
