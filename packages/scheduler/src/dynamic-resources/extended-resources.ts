import type { Container, ContainerExtendedResourceRequest, DeviceClass, DeviceRequest, Pod, ResourceClaim } from '@coxswain/api';
import { EXTENDED_RESOURCE_CLAIM_ANNOTATION, mayBeDevices } from '@coxswain/apimachinery';
import type { NodeInfo } from '@coxswain/sdk';
import { podFacts } from '../framework/pod-resources.js';
import { unitsOf } from '../framework/quantity.js';

/** The class behind a resource; undefined: none. */
export type ClassOfResource = (name: string) => DeviceClass | undefined;

/** What a pod's extended resources are on one node: devices of a claim that is made when the pod is bound. */
export interface DevicesForResources {
  readonly claim: ResourceClaim;
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

const ofPod = function* (pod: Pod): Generator<string> {
  for (const [name, want] of podFacts(pod).requests.scalar) if (want > 0 && mayBeDevices(name)) yield name;
};

/** Whether devices may have to stand for something the pod asks for. */
export function asksForDevices(pod: Pod, classOf: ClassOfResource): boolean {
  for (const name of ofPod(pod)) if (classOf(name)) return true;
  return false;
}

/** Those of the pod's resources that a node has got from nobody but drivers, in order: what a device plugin offers is not ours. */
export const resourcesAsDevices = (pod: Pod, { allocatable }: NodeInfo, classOf: ClassOfResource): string[] =>
  [...ofPod(pod)].filter((name) => !allocatable.scalar.get(name) && classOf(name)).sort();

/** Of an earlier attempt to place the pod. */
export function claimLeftOver({ metadata: { uid } }: Pod, claims: Iterable<ResourceClaim>): ResourceClaim | undefined {
  for (const claim of claims) {
    const { annotations, ownerReferences } = claim.metadata;
    if (annotations?.[EXTENDED_RESOURCE_CLAIM_ANNOTATION] === 'true' && ownerReferences?.some((owner) => owner.controller && owner.uid === uid)) return claim;
  }
  return undefined;
}

/** Not a name that a claim can have. */
const NOT_WRITTEN = '<extended-resources>';

/** Stands for the claim until it is written. */
export const unwrittenClaim = ({ metadata: { namespace, name = '', uid = '' } }: Pod, placeholder: string): ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: {
    ...(namespace && { namespace }),
    name: NOT_WRITTEN,
    uid: placeholder,
    generateName: `${name}-extended-resources-`,
    annotations: { [EXTENDED_RESOURCE_CLAIM_ANNOTATION]: 'true' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
  },
  spec: {},
});

/** The claim with a request for each container and resource, and which of them each container uses. */
export function devicesForResources(pod: Pod, unwritten: ResourceClaim, resources: readonly string[], classOf: ClassOfResource): DevicesForResources {
  const requests: DeviceRequest[] = [];
  const mappings: ContainerExtendedResourceRequest[] = [];
  for (const resource of resources) {
    const one = requestsFor(pod, resource, classOf(resource)?.metadata.name ?? '');
    requests.push(...one.requests);
    mappings.push(...one.mappings);
  }
  requests.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { claim: { ...unwritten, spec: { devices: { requests } } }, mappings };
}

/** Init containers use the devices of those that come after them, and one request besides that is as large as the neediest of them needs. */
function requestsFor(pod: Pod, resource: string, className: string): { requests: DeviceRequest[]; mappings: ContainerExtendedResourceRequest[] } {
  const init = pod.spec?.initContainers ?? [];
  const all = [...init, ...(pod.spec?.containers ?? [])];
  const endsEarly = (container: Container, index: number) => index < init.length && container.restartPolicy !== 'Always';
  const uses = ({ name }: Container, request: string): ContainerExtendedResourceRequest => ({
    containerName: name,
    resourceName: resource,
    requestName: request,
  });
  const request = (container: Container, index: number, count: number): DeviceRequest => {
    const position = Object.keys(container.resources?.requests ?? {})
      .sort()
      .indexOf(resource);
    return { name: `container-${index}-request-${position}`, exactly: { deviceClassName: className, allocationMode: 'ExactCount', count } };
  };

  const lasting: (DeviceRequest | undefined)[] = all.map((container, index) => {
    const count = wanted(container, resource);
    return count === 0 || endsEarly(container, index) ? undefined : request(container, index, count);
  });
  const mappings = lasting.flatMap((each, index) => (each ? [uses(all[index] as Container, each.name)] : []));

  let largest: DeviceRequest | undefined;
  /** What init containers use that need more than those that come after them have. */
  const needy: ContainerExtendedResourceRequest[] = [];
  for (const [index, container] of all.entries()) {
    if (!endsEarly(container, index)) continue;
    let missing = wanted(container, resource);
    for (const reused of lasting.slice(index)) {
      if (!reused || missing <= 0) continue;
      missing -= reused.exactly?.count ?? 0;
      mappings.push(uses(container, reused.name));
    }
    if (missing <= 0) continue;
    needy.push(uses(container, ''));
    mappings.push(needy.at(-1) as ContainerExtendedResourceRequest);
    if (missing > (largest?.exactly?.count ?? 0)) largest = request(container, index, missing);
  }
  for (const each of needy) each.requestName = largest?.name ?? '';
  return { requests: [...(largest ? [largest] : []), ...lasting.flatMap((each) => each ?? [])], mappings };
}

function wanted({ resources }: Container, name: string): number {
  const amount = resources?.requests?.[name];
  return amount === undefined ? 0 : unitsOf(amount);
}
