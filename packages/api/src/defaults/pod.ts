import type { Container, EphemeralContainer, Pod, PodSpec, PodStatus, PodTemplateSpec } from '../generated/types.js';
import { aggregateOf } from '../pod/aggregate.js';
import { firstOfList } from './first-of-list.js';
import { defaultPullPolicy } from './image.js';
import { defaultHandler, defaultProbe } from './probe.js';
import { setDefault, setDefaultText } from './set-default.js';
import { defaultVolume } from './volume.js';

/** What applies to pod templates and pods alike. */
export function defaultPodSpec(spec: PodSpec): void {
  setDefaultText(spec, 'dnsPolicy', 'ClusterFirst');
  setDefaultText(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'securityContext', {});
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefaultText(spec, 'schedulerName', 'default-scheduler');
  mirrorServiceAccount(spec);
  spec.volumes?.forEach(defaultVolume);
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
}

/** `serviceAccount` is the old name of `serviceAccountName`; both are always written. */
export function mirrorServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

export function defaultPodTemplate(template: PodTemplateSpec | undefined): void {
  if (template?.spec) defaultPodSpec(template.spec);
}

function defaultContainer(container: Container | EphemeralContainer): void {
  setDefaultText(container, 'imagePullPolicy', defaultPullPolicy(container.image));
  setDefaultText(container, 'terminationMessagePath', '/dev/termination-log');
  setDefaultText(container, 'terminationMessagePolicy', 'File');
  for (const port of container.ports ?? []) setDefaultText(port, 'protocol', 'TCP');
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) setDefaultText(valueFrom.fieldRef, 'apiVersion', 'v1');
    if (valueFrom?.fileKeyRef) setDefault(valueFrom.fileKeyRef, 'optional', false);
  }
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

/** Pods only: requests follow limits, host ports follow container ports, service links are on. */
export function defaultPod(pod: Pod): void {
  const { spec, status } = pod;
  if (status) mirrorPodIP(status);
  if (!spec) return;
  defaultPodSpec(spec);
  setDefault(spec, 'enableServiceLinks', true);
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  for (const { resources } of containers) {
    if (!resources?.limits) continue;
    resources.requests = { ...resources.limits, ...resources.requests };
  }
  defaultPodResources(spec);
  if (!spec.hostNetwork) return;
  for (const port of containers.flatMap(({ ports = [] }) => ports)) port.hostPort ||= port.containerPort;
}

function mirrorPodIP(status: PodStatus): void {
  const ips = firstOfList(
    status.podIP,
    status.podIPs,
    (own) => own.ip,
    (ip) => ({ ip }),
  );
  if (ips) Object.assign(status, { podIP: ips[0]?.ip, podIPs: ips });
}

/**
 * A pod that says something for itself: huge pages are limited to what the containers may have together; it asks for what the containers ask for
 * together, else for its limit.
 */
function defaultPodResources(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources) return;
  const { limits = {}, requests = {} } = resources;
  const huge = new Set((spec.containers ?? []).concat(spec.initContainers ?? []).flatMap((each) => Object.keys(each.resources?.limits ?? {})));
  for (const name of huge) {
    const together = name.startsWith('hugepages-') && requests[name] === undefined ? aggregateOf(spec, 'limits', name) : undefined;
    if (together !== undefined) limits[name] ??= together;
  }
  if (Object.keys(limits).length === 0) return;
  resources.limits = limits;
  for (const name of ['cpu', 'memory']) {
    const together = aggregateOf(spec, 'requests', name);
    if (together !== undefined) requests[name] ??= together;
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')) requests[name] ??= limit;
  }
  if (Object.keys(requests).length > 0) resources.requests = requests;
}
