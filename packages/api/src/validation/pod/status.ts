import type { FieldError } from '../../field-error.js';
import type { ContainerStatus, Pod, PodCondition, PodExtendedResourceClaimStatus, PodResourceClaimStatus, PodSpec, PodStatus } from '../../generated/types.js';
import { restartsAfterExit } from '../../pod/restart-rules.js';
import { own } from '../../util/own.js';
import { duplicate, forbidden, invalid, notSupported, required } from '../errors.js';
import { isDualStack, validateIP } from '../ip.js';
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from '../names.js';
import { immutable } from '../object-meta.js';
import { addSyntax, type Sink } from '../sink.js';
import { validatePodAnnotationUpdates } from './annotations.js';
import { addId } from './security.js';

const STATUSES = [
  ['containerStatuses', 'containers'],
  ['initContainerStatuses', 'initContainers'],
  ['ephemeralContainerStatuses', 'ephemeralContainers'],
] as const;

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const { status = {}, spec } = pod;
  const before = old.status ?? {};
  const sink: Sink = validatePodAnnotationUpdates(pod, old);
  addConditions(sink, status.conditions);
  const nominated = status.nominatedNodeName;
  if (nominated && nominated !== before.nominatedNodeName) addSyntax(sink, 'status.nominatedNodeName', nominated, isDNS1123Subdomain(nominated));
  if (nominated && nominated !== before.nominatedNodeName && old.spec?.nodeName) {
    sink.push(forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'));
  }
  addGeneration(sink, 'status.observedGeneration', status.observedGeneration);
  sink.push(...immutable(status.qosClass ?? '', before.qosClass ?? '', 'status.qosClass'));
  if (spec) addContainerStatuses(sink, status, before, spec);
  addAddresses(sink, status, before);
  return sink;
}

function addContainerStatuses(sink: Sink, status: PodStatus, before: PodStatus, spec: PodSpec): void {
  for (const [list, containers] of STATUSES) addResurrections(sink, `status.${list}`, status[list], before[list], spec, containers);
  addClaims(sink, 'status.resourceClaimStatuses', status.resourceClaimStatuses, spec);
  addExtendedClaim(sink, 'status.extendedResourceClaimStatus', status.extendedResourceClaimStatus, spec);
  for (const [list, containers] of STATUSES) {
    const statuses = status[list];
    if (!statuses) continue;
    for (const [index, container] of statuses.entries()) {
      addUser(sink, `status.${list}[${index}].user.linux`, container, spec);
      if (container.allocatedResourcesStatus) addHealth(sink, `status.${list}[${index}].allocatedResourcesStatus`, container, spec, containers);
    }
  }
}

const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized']);

function addConditions(sink: Sink, conditions: readonly PodCondition[] | undefined): void {
  if (!conditions) return;
  for (const [index, { type = '', observedGeneration }] of conditions.entries()) {
    addGeneration(sink, `status.conditions[${index}].observedGeneration`, observedGeneration);
    if (!SYSTEM_CONDITIONS.has(type)) addSyntax(sink, `status.conditions[${index}].Type`, type, isQualifiedName(type));
  }
}

function addGeneration(sink: Sink, field: string, generation: number | undefined): void {
  if (generation !== undefined && generation < 0) sink.push(invalid(field, generation, 'must be a non-negative integer'));
}

/** Addresses that are stored may stay; there are at most two, one of each family. */
function addAddresses(sink: Sink, { podIPs, hostIP = '', hostIPs }: PodStatus, before: PodStatus): void {
  if (hostIPs?.[0] && hostIPs[0].ip !== hostIP) sink.push(invalid('status.hostIPs[0].ip', hostIPs[0].ip, 'must be equal to `hostIP`'));
  for (const [key, list] of [
    ['podIPs', podIPs],
    ['hostIPs', hostIPs],
  ] as const) {
    if (!list) continue;
    const known = before[key];
    for (const [index, { ip }] of list.entries()) {
      if (!known?.some((each) => each.ip === ip)) sink.push(...validateIP(ip, `status.${key}[${index}]`));
    }
    if (list.length < 2 || (list.length === 2 && isDualStack(list.map(({ ip }) => ip)))) continue;
    sink.push(invalid(`status.${key}`, list, 'may specify no more than one IP for each IP family'));
  }
}

function addClaims(sink: Sink, field: string, statuses: readonly PodResourceClaimStatus[] | undefined, { resourceClaims = [] }: PodSpec): void {
  if (!statuses) return;
  const names = new Set<string>();
  for (const [index, { name, resourceClaimName }] of statuses.entries()) {
    const at = `${field}[${index}]`;
    if (!resourceClaims.some((claim) => claim.name === name)) {
      sink.push(invalid(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'));
    }
    if (names.has(name)) sink.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (resourceClaimName !== undefined) addSyntax(sink, `${at}.resourceClaimName`, resourceClaimName, isDNS1123Subdomain(resourceClaimName));
  }
}

/** Which claim stands for the pod's extended resources, and which of its requests for which container's. */
function addExtendedClaim(sink: Sink, field: string, status: PodExtendedResourceClaimStatus | undefined, spec: PodSpec): void {
  if (!status) return;
  const { resourceClaimName, requestMappings = [] } = status;
  if (requestMappings.length === 0) sink.push(required(`${field}.requestMappings`, 'at least one request mapping is required'));
  const containers = new Map([...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => [container.name, container]));
  const seen = new Set<string>();
  for (const [index, mapping] of requestMappings.entries()) {
    const { containerName, resourceName, requestName = '' } = mapping;
    const at = `${field}.requestMappings[${index}]`;
    const container = containers.get(containerName);
    if (!container) {
      sink.push(invalid(`${at}.containerName`, containerName, 'must match the name of an entry in spec.initContainers.name or spec.containers.name'));
    } else if (own(container.resources?.requests, resourceName) === undefined) {
      const detail = 'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests';
      sink.push(invalid(`${at}.resourceName`, resourceName, detail));
    }
    addSyntax(sink, `${field}.requestName`, requestName, isDNS1123Label(requestName));
    const key = `${containerName}/${resourceName}/${requestName}`;
    if (seen.has(key)) for (const part of ['containerName', 'resourceName', 'requestName'] as const) sink.push(duplicate(`${at}.${part}`, mapping[part]));
    seen.add(key);
  }
  if (!resourceClaimName) sink.push(required(`${field}.resourceClaimName`));
  else addSyntax(sink, `${field}.resourceClaimName`, resourceClaimName, isDNS1123Subdomain(resourceClaimName));
}

type Containers = (typeof STATUSES)[number][1];

/** A container that may not restart stays terminated. */
function addResurrections(
  sink: Sink,
  field: string,
  now: readonly ContainerStatus[] | undefined,
  before: readonly ContainerStatus[] | undefined,
  spec: PodSpec,
  containers: Containers,
): void {
  if (!now || !before) return;
  for (const [index, { name, state }] of before.entries()) {
    const ended = state?.terminated;
    if (!ended) continue;
    const next = now.find((each) => each.name === name);
    if (!next || next.state?.terminated) continue;
    const container = containers === 'ephemeralContainers' ? undefined : spec[containers]?.find((each) => each.name === name);
    if (container && restartsAfterExit(container, spec.restartPolicy, ended.exitCode)) continue;
    sink.push(forbidden(`${field}[${index}].state`, 'may not be transitioned to non-terminated state'));
  }
}

function addUser(sink: Sink, field: string, { user }: ContainerStatus, { os }: PodSpec): void {
  const linux = user?.linux;
  if (!linux) return;
  if (os?.name === 'windows') return void sink.push(forbidden(field, 'cannot be set for a windows pod'));
  addId(sink, `${field}.uid`, linux.uid);
  addId(sink, `${field}.gid`, linux.gid);
  for (const [index, id] of (linux.supplementalGroups ?? []).entries()) addId(sink, `${field}.supplementalGroups[${index}]`, id);
}

const HEALTHS = ['Healthy', 'Unhealthy', 'Unknown'];
const AS_CLAIM = "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";

/** Of resources that the container asks for. */
function addHealth(sink: Sink, field: string, { name, allocatedResourcesStatus = [] }: ContainerStatus, spec: PodSpec, containers: Containers): void {
  if (containers === 'ephemeralContainers') {
    if (allocatedResourcesStatus.length > 0) sink.push(forbidden(field, 'must not be specified in container status'));
    return;
  }
  const container = spec[containers]?.find((each) => each.name === name);
  for (const [index, allocated] of allocatedResourcesStatus.entries()) {
    const at = `${field}[${index}]`;
    if (container) {
      const { claims = [], requests = {} } = container.resources ?? {};
      const isClaim = allocated.name.startsWith('claim:');
      const known = isClaim
        ? claims.some((claim) => allocated.name === `claim:${claim.name}${claim.request ? `/${claim.request}` : ''}`)
        : own(requests, allocated.name) !== undefined;
      if (!known) sink.push(invalid(`${at}.name`, allocated.name, isClaim ? AS_CLAIM : "must match one of the container's resource requests"));
    }
    const ids = new Set<string>();
    for (const [which, { resourceID, health = '' }] of (allocated.resources ?? []).entries()) {
      if (!HEALTHS.includes(health)) sink.push(notSupported(`${at}.resources[${which}].health`, health, HEALTHS));
      if (ids.has(resourceID)) sink.push(duplicate(`${at}.resources[${which}].resourceID`, resourceID));
      ids.add(resourceID);
    }
  }
}
