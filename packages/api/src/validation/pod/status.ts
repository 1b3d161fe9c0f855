import type { FieldError } from '../../field-error.js';
import type { ContainerStatus, Pod, PodExtendedResourceClaimStatus, PodSpec } from '../../generated/types.js';
import { restartsAfterExit } from '../../pod/restart-rules.js';
import { forbidden, invalid, invalids, required } from '../errors.js';
import { validateIP } from '../ip.js';
import { each, requiredText } from '../common.js';
import { isDNS1123Label, isDNS1123Subdomain } from '../names.js';
import { isExtendedResource } from './resources.js';

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const { status = {} } = pod;
  const before = old.status ?? {};
  const errors: FieldError[] = [];
  if (status.nominatedNodeName) {
    errors.push(...invalids('status.nominatedNodeName', status.nominatedNodeName, isDNS1123Subdomain(status.nominatedNodeName)));
  }
  (status.conditions ?? []).forEach(({ type, status: value }, index) => {
    if (!type) errors.push(required(`status.conditions[${index}].type`));
    if (!value) errors.push(required(`status.conditions[${index}].status`));
  });
  (status.podIPs ?? []).forEach(({ ip }, index) => {
    errors.push(...validateIP(ip, `status.podIPs[${index}].ip`));
  });
  if (before.startTime && status.startTime && before.startTime !== status.startTime) {
    errors.push(invalid('status.startTime', status.startTime, 'field is immutable'));
  }
  if (pod.spec) errors.push(...validateExtendedClaim(status.extendedResourceClaimStatus, pod.spec, 'status.extendedResourceClaimStatus'));
  if (pod.spec) errors.push(...noResurrection(status.containerStatuses, before.containerStatuses, pod.spec));
  return errors;
}

/** Which claim stands for the pod's extended resources, and which of its requests for which container's. */
function validateExtendedClaim(status: PodExtendedResourceClaimStatus | undefined, spec: PodSpec, field: string): FieldError[] {
  if (!status) return [];
  const { resourceClaimName, requestMappings = [] } = status;
  const containers = new Set([...(spec.initContainers ?? []), ...(spec.containers ?? [])].map(({ name }) => name));
  return [
    ...requiredText(resourceClaimName, `${field}.resourceClaimName`, isDNS1123Subdomain),
    ...(requestMappings.length === 0 ? [required(`${field}.requestMappings`)] : []),
    ...each(requestMappings, `${field}.requestMappings`, ({ containerName, resourceName, requestName }, at) => [
      ...(containers.has(containerName) ? [] : [invalid(`${at}.containerName`, containerName, 'must be the name of a container of the pod')]),
      ...(isExtendedResource(resourceName) || resourceName.startsWith('deviceclass.resource.kubernetes.io/')
        ? []
        : [invalid(`${at}.resourceName`, resourceName, 'must be an extended resource')]),
      ...requiredText(requestName, `${at}.requestName`, isDNS1123Label),
    ]),
  ];
}

/** A container that may not restart stays terminated. */
function noResurrection(now: readonly ContainerStatus[] = [], before: readonly ContainerStatus[] = [], spec: PodSpec): FieldError[] {
  return before.flatMap((old) => {
    const ended = old.state?.terminated;
    const container = (spec.containers ?? []).find(({ name }) => name === old.name);
    if (!ended || restartsAfterExit(container ?? {}, spec.restartPolicy, ended.exitCode)) return [];
    const index = now.findIndex(({ name }) => name === old.name);
    const state = now[index]?.state;
    if (index < 0 || !state || state.terminated || Object.keys(state).length === 0) return [];
    return [forbidden(`status.containerStatuses[${index}].state`, 'may not be transitioned to non-terminated state')];
  });
}
