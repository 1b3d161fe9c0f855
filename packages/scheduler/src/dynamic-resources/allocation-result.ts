import type { AllocationResult, DeviceAllocationConfiguration, Node, NodeSelector, NodeSelectorRequirement } from '@coxswain/api';
import { consumedCapacity, type Consumption } from './consumption.js';
import type { PoolDevice } from './pools.js';
import { ClaimError, type Alternative, type WantedClaim } from './wanted.js';

export interface Picked {
  readonly alternative: Alternative;
  readonly of: PoolDevice;
  /** What this pick takes of a device that may be shared. */
  readonly share?: Consumption;
}

export interface AllocationPlace {
  readonly node: Node;
  /** A new UID. */
  readonly uuid: () => string;
}

/** `status.allocation` of a claim. `chosen` is what was chosen of each request, in their order. */
export function allocationResult(
  { claim }: WantedClaim,
  chosen: readonly Alternative[],
  picked: readonly Picked[],
  { node, uuid }: AllocationPlace,
): AllocationResult {
  const config = configurations(claim.spec.devices?.config ?? [], chosen);
  const nodeSelector = picked.some(({ of }) => of.device.bindsToNode) ? only(node.metadata.name ?? '') : nodeSelectorOf(picked);
  return {
    devices: {
      results: picked.map(({ alternative: { name, adminAccess, tolerations }, of, share }) => ({
        request: name,
        driver: of.driver,
        pool: of.slice.spec.pool.name,
        device: of.device.name,
        ...(adminAccess && { adminAccess }),
        ...(tolerations.length > 0 && { tolerations: [...tolerations] }),
        ...(of.device.bindingConditions?.length && { bindingConditions: of.device.bindingConditions }),
        ...(of.device.bindingFailureConditions?.length && { bindingFailureConditions: of.device.bindingFailureConditions }),
        ...(share && { shareID: uuid(), consumedCapacity: consumedCapacity(share, of.device.capacity) }),
      })),
      ...(config.length > 0 && { config }),
    },
    ...(nodeSelector && { nodeSelector }),
  };
}

type ClaimConfig = NonNullable<NonNullable<WantedClaim['claim']['spec']['devices']>['config']>;

/** The classes' first, each once, then the claim's that are about something that was chosen. */
function configurations(ofClaim: ClaimConfig, chosen: readonly Alternative[]): DeviceAllocationConfiguration[] {
  const out: DeviceAllocationConfiguration[] = [];
  for (const one of new Set(chosen.map((a) => a.class))) {
    const requests = chosen.filter((a) => a.class === one).map((a) => a.name);
    for (const { opaque } of one.spec.config ?? []) out.push({ source: 'FromClass', requests, ...(opaque && { opaque }) });
  }
  for (const { requests = [], opaque } of ofClaim)
    if (requests.length === 0 || chosen.some((a) => requests.includes(a.request) || requests.includes(a.name)))
      out.push({ source: 'FromClaim', requests, ...(opaque && { opaque }) });
  // No requests means all of them.
  return out.map(({ requests = [], ...rest }) => (requests.length === 0 || requests.length === chosen.length ? rest : { ...rest, requests }));
}

const only = (node: string): NodeSelector => ({ nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] });

/** Where the devices can be used; undefined: everywhere. */
function nodeSelectorOf(picked: readonly Picked[]): NodeSelector | undefined {
  const matchFields: NodeSelectorRequirement[] = [];
  const matchExpressions: NodeSelectorRequirement[] = [];
  for (const { of } of picked) {
    const { nodeName, nodeSelector } = of.slice.spec.perDeviceNodeSelection ? of.device : of.slice.spec;
    // One device that is local to a node says it all.
    if (nodeName) return only(nodeName);
    const terms = nodeSelector?.nodeSelectorTerms ?? [];
    if (terms.length > 1) throw new ClaimError(`unsupported ResourceSlice.NodeSelector with ${terms.length} terms`);
    for (const requirement of terms[0]?.matchFields ?? []) addNew(matchFields, requirement);
    for (const requirement of terms[0]?.matchExpressions ?? []) addNew(matchExpressions, requirement);
  }
  if (matchFields.length + matchExpressions.length === 0) return undefined;
  return { nodeSelectorTerms: [{ ...(matchFields.length > 0 && { matchFields }), ...(matchExpressions.length > 0 && { matchExpressions }) }] };
}

function addNew(to: NodeSelectorRequirement[], { key, operator, values = [] }: NodeSelectorRequirement): void {
  const same = (r: NodeSelectorRequirement) =>
    r.key === key && r.operator === operator && JSON.stringify([...(r.values ?? [])].sort()) === JSON.stringify([...values].sort());
  if (!to.some(same)) to.push({ key, operator, ...(values.length > 0 && { values }) });
}
