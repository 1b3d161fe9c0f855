import type { Container, ContainerPort, ContainerResizePolicy, EphemeralContainer, PodSpec, Volume } from '../../generated/types.js';
import { duplicate, forbidden, invalid, notSupported, required, tooMany } from '../errors.js';
import { isDNS1123Label, isPortName, isPortNumber } from '../names.js';
import { addEnum, addSyntax, addText, type Sink } from '../sink.js';
import { addEnv, addEnvFrom } from './env.js';
import { addLifecycle, addProbes } from './handlers.js';
import { addDevices, addMounts } from './mounts.js';
import type { PodOptions } from './options.js';
import { addResources } from './resources.js';
import { addSecurityContext } from './security.js';

/** What a container's checks need to know of its pod. */
export interface PodScope {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claims: ReadonlySet<string>;
  readonly options: PodOptions;
}

export const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

/** Every kind of container: name, image, environment, mounts, ports, resources, security. */
export function addContainer(sink: Sink, field: string, container: Container | EphemeralContainer, scope: PodScope): void {
  const { spec, volumes, claims, options } = scope;
  addText(sink, `${field}.name`, container.name, isDNS1123Label);
  if (!container.image) sink.push(required(`${field}.image`));
  else if (options.isPod) addPadding(sink, `${field}.image`, container.image);
  addEnum(sink, `${field}.terminationMessagePolicy`, container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']);
  addPorts(sink, `${field}.ports`, container.ports);
  addEnv(sink, `${field}.env`, container.env);
  addEnvFrom(sink, `${field}.envFrom`, container.envFrom);
  addMounts(sink, `${field}.volumeMounts`, container, volumes);
  addDevices(sink, `${field}.volumeDevices`, container, volumes);
  addEnum(sink, `${field}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES);
  addResources(sink, `${field}.resources`, container.resources, claims, options.anyHugePages);
  addResizePolicy(sink, `${field}.resizePolicy`, container.resizePolicy, spec.restartPolicy);
  addSecurityContext(sink, `${field}.securityContext`, container.securityContext, spec.hostUsers !== false);
}

/** Of pods only: templates were taken with padded images for too long. */
export function addPadding(sink: Sink, field: string, image: string): void {
  if (image.trim() !== image) sink.push(invalid(field, image, 'must not have leading or trailing whitespace'));
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function addPorts(sink: Sink, field: string, ports: readonly ContainerPort[] | undefined): void {
  if (!ports) return;
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort, protocol }] of ports.entries()) {
    const at = `${field}[${index}]`;
    if (name) {
      const wrong = isPortName(name);
      addSyntax(sink, `${at}.name`, name, wrong);
      if (wrong.length === 0 && names.has(name)) sink.push(duplicate(`${at}.name`, name));
      else if (wrong.length === 0) names.add(name);
    }
    if (!containerPort) sink.push(required(`${at}.containerPort`));
    else for (const message of isPortNumber(containerPort)) sink.push(invalid(`${at}.containerPort`, containerPort, message));
    if (hostPort) for (const message of isPortNumber(hostPort)) sink.push(invalid(`${at}.hostPort`, hostPort, message));
    addEnum(sink, `${at}.protocol`, protocol, PROTOCOLS);
  }
}

const RESIZABLE = ['cpu', 'memory'];
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer'];

/** Upstream names the list, not the entry. */
function addResizePolicy(sink: Sink, field: string, policies: readonly ContainerResizePolicy[] | undefined, ofPod: string | undefined): void {
  if (!policies) return;
  const names = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of policies.entries()) {
    if (names.has(resourceName)) sink.push(duplicate(`${field}[${index}]`, resourceName));
    names.add(resourceName);
    addEnum(sink, field, resourceName, RESIZABLE);
    addEnum(sink, field, restartPolicy, RESIZE_POLICIES);
    if (ofPod === 'Never' && restartPolicy !== 'NotRequired') {
      sink.push(invalid(field, restartPolicy ?? '', "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
  }
}

export function addContainers(sink: Sink, field: string, scope: PodScope): void {
  const { containers = [], terminationGracePeriodSeconds: gracePeriod } = scope.spec;
  if (containers.length === 0) return void sink.push(required(field));
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const at = `${field}[${index}]`;
    addContainer(sink, at, container, scope);
    if (names.has(container.name)) sink.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    addLifecycle(sink, `${at}.lifecycle`, container.lifecycle, scope.spec);
    addProbes(sink, at, container, gracePeriod);
    addRestartPolicy(sink, at, container, scope.options);
  }
  addHostPortConflicts(sink, field, containers);
}

const OF_STAYING = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

export function addInitContainers(sink: Sink, field: string, scope: PodScope): void {
  const { containers = [], initContainers, terminationGracePeriodSeconds: gracePeriod } = scope.spec;
  if (!initContainers || initContainers.length === 0) return;
  const { options } = scope;
  const names = new Set(containers.map(({ name }) => name));
  for (const [index, container] of initContainers.entries()) {
    const at = `${field}[${index}]`;
    const sidecar = container.restartPolicy === 'Always';
    addContainer(sink, at, container, scope);
    if (sidecar && !options.restartAllContainers) {
      if ((container.restartPolicyRules ?? []).length > 0) {
        sink.push(forbidden(`${at}.restartPolicyRules`, 'restartPolicyRules are not allowed for init containers with restart policy Always'));
      }
    } else addRestartPolicy(sink, at, container, options);
    if (names.has(container.name)) sink.push(duplicate(`${at}.name`, container.name));
    else if (container.name) names.add(container.name);
    addHostPortConflicts(sink, field, [container]);
    if (sidecar) {
      addLifecycle(sink, `${at}.lifecycle`, container.lifecycle, scope.spec);
      addProbes(sink, at, container, gracePeriod);
      continue;
    }
    for (const key of OF_STAYING) {
      if (container[key]) sink.push(forbidden(`${at}.${key}`, 'may not be set for init containers without restartPolicy=Always'));
    }
    if (options.restartOnResizeOfInit || !container.resizePolicy) continue;
    for (const [which, { restartPolicy }] of container.resizePolicy.entries()) {
      if (restartPolicy !== 'RestartContainer') continue;
      const path = `${at}.resizePolicy[${which}].restartPolicy`;
      sink.push(invalid(path, restartPolicy, "must not be set to 'RestartContainer' for non-sidecar initContainers"));
    }
  }
}

const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;

function addRestartPolicy(sink: Sink, field: string, { restartPolicy, restartPolicyRules: rules = [] }: Container, options: PodOptions): void {
  if (restartPolicy === undefined) {
    if (rules.length === 0) return;
    sink.push(required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  } else if (!RESTART_POLICIES.includes(restartPolicy)) sink.push(notSupported(`${field}.restartPolicy`, restartPolicy, RESTART_POLICIES));
  if (rules.length > MAX_RULES) sink.push(tooMany(`${field}.restartPolicyRules`, rules.length, MAX_RULES));
  const actions = options.restartAllContainers ? ['Restart', 'RestartAllContainers'] : ['Restart'];
  for (const [index, { action = '', exitCodes }] of rules.entries()) {
    const at = `${field}.restartPolicyRules[${index}]`;
    if (!actions.includes(action)) sink.push(notSupported(`${at}.action`, action, actions));
    if (!exitCodes) {
      sink.push(required(`${at}.exitCodes`, 'must be specified'));
      continue;
    }
    const { operator = '', values = [] } = exitCodes;
    if (operator !== 'In' && operator !== 'NotIn') sink.push(notSupported(`${at}.exitCodes.operator`, operator, ['In', 'NotIn']));
    if (values.length > MAX_EXIT_CODES) sink.push(tooMany(`${at}.exitCodes.values`, values.length, MAX_EXIT_CODES));
  }
}

/** No two containers may want the same port of the host. */
function addHostPortConflicts(sink: Sink, field: string, containers: readonly Container[]): void {
  let taken: Set<string> | undefined;
  for (const [index, { ports }] of containers.entries()) {
    if (!ports) continue;
    for (const [which, { hostPort, hostIP = '', protocol }] of ports.entries()) {
      if (!hostPort) continue;
      taken ??= new Set();
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) sink.push(duplicate(`${field}[${index}].ports[${which}].hostPort`, key));
      taken.add(key);
    }
  }
}
