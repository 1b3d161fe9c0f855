import type { PodResourceClaim, PodSpec } from '../../generated/types.js';
import { duplicate, forbidden, invalid, notFound, notSupported, required, tooLong } from '../errors.js';
import { validateIP } from '../ip.js';
import { byteLength, isDNS1123Label, isDNS1123Subdomain, isQualifiedName, rangeError } from '../names.js';
import { validateLabels } from '../object-meta.js';
import { addSyntax, type Sink } from '../sink.js';
import { addContainers, addInitContainers, type PodScope } from './containers.js';
import { addDnsConfig, addDnsPolicy } from './dns.js';
import { addEphemeralContainers } from './ephemeral-containers.js';
import { addOperatingSystem } from './operating-system.js';
import type { PodOptions } from './options.js';
import { addOverhead, addPodResources } from './resources.js';
import { addAffinity, addTolerations } from './scheduling.js';
import { addPodSecurityContext } from './security.js';
import { addTopologySpread } from './topology-spread.js';
import { visitContainers } from './visit.js';
import { addVolumes } from './volumes.js';

/** The rules of pods and of pod templates; those have no name and are no mirrors. */
export function addPodSpec(sink: Sink, field: string, spec: PodSpec, options: PodOptions, pod: { readonly name?: string; readonly mirror: boolean }): void {
  const volumes = addVolumes(sink, `${field}.volumes`, spec.volumes ?? [], pod.name, options);
  addResourceClaims(sink, `${field}.resourceClaims`, spec.resourceClaims, pod.mirror);
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  const scope: PodScope = { spec, volumes, claims, options };
  addContainers(sink, `${field}.containers`, scope);
  addInitContainers(sink, `${field}.initContainers`, scope);
  addEphemeralContainers(sink, `${field}.ephemeralContainers`, scope);
  addPodResources(sink, `${field}.resources`, spec, options.anyHugePages);
  addHostNetworkPorts(sink, `${field}.containers`, spec, options.isPod);
  addRestartPolicy(sink, `${field}.restartPolicy`, spec.restartPolicy);
  addDnsPolicy(sink, `${field}.dnsPolicy`, spec.dnsPolicy);
  if (spec.nodeSelector) sink.push(...validateLabels(spec.nodeSelector, `${field}.nodeSelector`));
  addPodSecurityContext(sink, `${field}.securityContext`, spec, options);
  if (spec.affinity) addAffinity(sink, `${field}.affinity`, spec.affinity, options);
  addDnsConfig(sink, `${field}.dnsConfig`, spec);
  addGates(sink, field, spec);
  if (spec.topologySpreadConstraints) addTopologySpread(sink, `${field}.topologySpreadConstraints`, spec.topologySpreadConstraints, options);
  addHostUsers(sink, field, spec, options);
  addHostname(sink, field, spec);
  addReferences(sink, field, spec);
  if (spec.tolerations) addTolerations(sink, `${field}.tolerations`, spec.tolerations, options.comparingTolerations);
  if (spec.overhead) addOverhead(sink, `${field}.overhead`, spec.overhead, options.anyHugePages);
  addOperatingSystem(sink, field, spec);
  addFileKeyVolumes(sink, field, spec);
}

function addResourceClaims(sink: Sink, field: string, claims: readonly PodResourceClaim[] | undefined, mirror: boolean): void {
  if (!claims) return;
  const names = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    if (mirror) {
      sink.push(forbidden('', 'static pods do not support resource claims'));
      continue;
    }
    const { name, resourceClaimName: claimName, resourceClaimTemplateName: template } = claim;
    const at = `${field}[${index}]`;
    if (!name) sink.push(required(`${at}.name`));
    else if (names.has(name)) sink.push(duplicate(`${at}.name`, name));
    else addSyntax(sink, `${at}.name`, name, isDNS1123Label(name));
    names.add(name);
    if (claimName !== undefined && template !== undefined) {
      sink.push(invalid(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'));
    }
    if (claimName === undefined && template === undefined) {
      sink.push(invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    }
    if (claimName !== undefined) addSyntax(sink, `${at}.resourceClaimName`, claimName, isDNS1123Subdomain(claimName));
    if (template !== undefined) addSyntax(sink, `${at}.resourceClaimTemplateName`, template, isDNS1123Subdomain(template));
  }
}

/** Of the host's network a container has the ports that it has there; templates may leave that to the pods. */
function addHostNetworkPorts(sink: Sink, field: string, { hostNetwork, containers = [] }: PodSpec, isPod: boolean): void {
  if (!hostNetwork) return;
  for (const [index, { ports }] of containers.entries()) {
    if (!ports) continue;
    for (const [which, { hostPort = 0, containerPort }] of ports.entries()) {
      if ((!isPod && hostPort === 0) || hostPort === containerPort) continue;
      sink.push(invalid(`${field}[${index}].ports[${which}].hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
    }
  }
}

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];

function addRestartPolicy(sink: Sink, field: string, policy: string | undefined): void {
  if (!policy) sink.push(required(field));
  else if (!RESTART_POLICIES.includes(policy)) sink.push(notSupported(field, policy, RESTART_POLICIES));
}

function addGates(sink: Sink, field: string, { readinessGates, schedulingGates }: PodSpec): void {
  for (const [index, { conditionType = '' }] of (readinessGates ?? []).entries()) {
    addSyntax(sink, `${field}.readinessGates[${index}].conditionType`, conditionType, isQualifiedName(conditionType));
  }
  if (!schedulingGates) return;
  const names = new Set<string>();
  for (const [index, { name = '' }] of schedulingGates.entries()) {
    addSyntax(sink, `${field}.schedulingGates[${index}]`, name, isQualifiedName(name));
    if (names.has(name)) sink.push(duplicate(`${field}.schedulingGates[${index}]`, name));
    names.add(name);
  }
}

function addHostUsers(sink: Sink, field: string, spec: PodSpec, options: PodOptions): void {
  if (spec.hostUsers !== false) return;
  const detail = 'when `hostUsers` is false';
  if (spec.hostNetwork && !options.hostNetworkInUserNamespace) sink.push(forbidden(`${field}.hostNetwork`, detail));
  if (spec.hostPID) sink.push(forbidden(`${field}.HostPID`, detail));
  if (spec.hostIPC) sink.push(forbidden(`${field}.HostIPC`, detail));
  if (options.devicesInUserNamespace) return;
  visitContainers(spec, field, ({ volumeDevices }, path) => {
    if ((volumeDevices ?? []).length > 0) sink.push(forbidden(`${path}.volumeDevices`, detail));
  });
}

function addHostname(sink: Sink, field: string, { hostname, subdomain, hostnameOverride: override, setHostnameAsFQDN, hostNetwork }: PodSpec): void {
  if (hostname) addSyntax(sink, `${field}.hostname`, hostname, isDNS1123Label(hostname));
  if (subdomain) addSyntax(sink, `${field}.subdomain`, subdomain, isDNS1123Label(subdomain));
  if (override === undefined) return;
  const at = `${field}.hostnameOverride`;
  if (setHostnameAsFQDN) sink.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'));
  if (hostNetwork) sink.push(forbidden(at, 'may not be specified when hostNetwork is true'));
  if (byteLength(override) > 64) sink.push(tooLong(at, 64));
  addSyntax(sink, at, override, isDNS1123Subdomain(override));
}

const MAX_INT32 = 2147483647;
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'];
const NAMES = ['serviceAccountName', 'nodeName', 'priorityClassName'] as const;

function addReferences(sink: Sink, field: string, spec: PodSpec): void {
  for (const key of NAMES) {
    const name = spec[key];
    if (name) addSyntax(sink, `${field}.${key}`, name, isDNS1123Subdomain(name));
  }
  const { runtimeClassName, activeDeadlineSeconds: deadline, preemptionPolicy, hostAliases, schedulingGroup } = spec;
  if (runtimeClassName !== undefined) addSyntax(sink, `${field}.runtimeClassName`, runtimeClassName, isDNS1123Subdomain(runtimeClassName));
  if (deadline !== undefined && (deadline < 1 || deadline > MAX_INT32)) {
    sink.push(invalid(`${field}.activeDeadlineSeconds`, deadline, rangeError(1, MAX_INT32)));
  }
  if (preemptionPolicy === '') sink.push(required(`${field}.preemptionPolicy`));
  else if (preemptionPolicy !== undefined && !PREEMPTION_POLICIES.includes(preemptionPolicy)) {
    sink.push(notSupported(`${field}.preemptionPolicy`, preemptionPolicy, PREEMPTION_POLICIES));
  }
  for (const [index, { ip = '', hostnames }] of (hostAliases ?? []).entries()) {
    sink.push(...validateIP(ip, `${field}.hostAliases[${index}].ip`));
    for (const [which, name] of (hostnames ?? []).entries()) {
      addSyntax(sink, `${field}.hostAliases[${index}].hostnames[${which}]`, name, isDNS1123Subdomain(name));
    }
  }
  if (!schedulingGroup) return;
  const { podGroupName } = schedulingGroup;
  if (podGroupName === undefined) sink.push(invalid(`${field}.schedulingGroup.podGroupName`, undefined, 'must specify one of: `podGroupName`'));
  else addSyntax(sink, `${field}.schedulingGroup.podGroupName`, podGroupName, isDNS1123Subdomain(podGroupName));
}

/** Environments are read from files of emptyDirs only. */
function addFileKeyVolumes(sink: Sink, field: string, spec: PodSpec): void {
  visitContainers(spec, field, ({ env }, path) => {
    if (!env) return;
    for (const [index, { valueFrom }] of env.entries()) {
      if (!valueFrom?.fileKeyRef) continue;
      const { volumeName } = valueFrom.fileKeyRef;
      const at = `${path}.env[${index}].valueFrom.fileKeyRef.volumeName`;
      const volume = (spec.volumes ?? []).find(({ name }) => name === volumeName);
      if (!volume) sink.push(notFound(at, volumeName));
      else if (!volume.emptyDir) sink.push(invalid(at, volumeName, 'referenced volume must be of type emptyDir'));
    }
  });
}
