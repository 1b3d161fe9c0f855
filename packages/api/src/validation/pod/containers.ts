import type { FieldError } from '../../field-error.js';
import type { Container, ContainerPort, PodSpec, Volume, VolumeDevice, VolumeMount } from '../../generated/types.js';
import { each, optionalEnum, requiredEnum, requiredText, unique } from '../common.js';
import { duplicate, forbidden, invalid, invalids, notFound, notSupported, required } from '../errors.js';
import { validateIP } from '../ip.js';
import { isDNS1123Label, isPortName, isPortNumber } from '../names.js';
import { validateEnv, validateEnvFrom } from './env.js';
import { validateLifecycle, validateOnceProbe, validateReadinessProbe } from './handlers.js';
import { validateResources } from './resources.js';
import { validateSecurityContext } from './security.js';

/** What a container's checks need to know of its pod. */
export interface PodScope {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claims: ReadonlySet<string>;
}

export const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

/** Every kind of container: name, image, environment, mounts, ports, resources, security. */
export function validateContainerCommon(container: Container, field: string, scope: PodScope): FieldError[] {
  const { hostNetwork, hostUsers, restartPolicy: ofPod } = scope.spec;
  return [
    ...requiredText(container.name, `${field}.name`, isDNS1123Label),
    ...validateImage(container.image, `${field}.image`),
    ...requiredEnum(container.terminationMessagePolicy, `${field}.terminationMessagePolicy`, ['File', 'FallbackToLogsOnError']),
    ...validatePorts(container.ports, `${field}.ports`, hostNetwork === true),
    ...validateEnv(container.env, `${field}.env`),
    ...validateEnvFrom(container.envFrom, `${field}.envFrom`),
    ...validateMounts(container, field, scope.volumes),
    ...validateDevices(container.volumeDevices, `${field}.volumeDevices`, container, scope.volumes),
    ...requiredEnum(container.imagePullPolicy, `${field}.imagePullPolicy`, PULL_POLICIES),
    ...validateResources(container.resources, `${field}.resources`, scope.claims),
    ...each(container.resizePolicy, `${field}.resizePolicy`, ({ resourceName, restartPolicy }, path) => [
      ...requiredEnum(resourceName, `${path}.resourceName`, ['cpu', 'memory']),
      ...requiredEnum(restartPolicy, `${path}.restartPolicy`, ['NotRequired', 'RestartContainer']),
      ...(ofPod === 'Never' && restartPolicy !== 'NotRequired'
        ? [invalid(`${field}.resizePolicy`, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'")]
        : []),
    ]),
    ...validateSecurityContext(container.securityContext, `${field}.securityContext`, hostUsers),
  ];
}

export function validateImage(image: string | undefined, field: string): FieldError[] {
  if (!image) return [required(field)];
  return image.trim() === image ? [] : [invalid(field, image, 'must not have leading or trailing whitespace')];
}

function validatePorts(ports: readonly ContainerPort[] | undefined, field: string, hostNetwork: boolean): FieldError[] {
  const names = new Set<string>();
  return each(ports, field, ({ name, containerPort, hostPort, protocol, hostIP }, path) => {
    const errors: FieldError[] = [];
    if (name) {
      const wrong = isPortName(name);
      errors.push(...invalids(`${path}.name`, name, wrong));
      if (wrong.length === 0 && names.has(name)) errors.push(duplicate(`${path}.name`, name));
      names.add(name);
    }
    if (!containerPort) errors.push(required(`${path}.containerPort`));
    else errors.push(...invalids(`${path}.containerPort`, containerPort, isPortNumber(containerPort)));
    if (hostPort) errors.push(...invalids(`${path}.hostPort`, hostPort, isPortNumber(hostPort)));
    if (hostNetwork && hostPort !== undefined && hostPort !== containerPort) {
      errors.push(invalid(`${path}.containerPort`, containerPort, 'must match `hostPort` when `hostNetwork` is true'));
    }
    errors.push(...requiredEnum(protocol, `${path}.protocol`, ['SCTP', 'TCP', 'UDP']));
    if (hostIP) errors.push(...validateIP(hostIP, `${path}.hostIP`));
    return errors;
  });
}

function validateMounts(container: Container, field: string, volumes: ReadonlyMap<string, Volume>): FieldError[] {
  const paths = new Set<string>();
  const devices = new Map((container.volumeDevices ?? []).map((device) => [device.name, device.devicePath]));
  return each(container.volumeMounts, `${field}.volumeMounts`, (mount, path) => {
    const errors: FieldError[] = [];
    if (!mount.name) errors.push(required(`${path}.name`));
    if (!mount.mountPath) errors.push(required(`${path}.mountPath`));
    if (mount.name && !volumes.has(mount.name)) errors.push(notFound(`${path}.name`, mount.name));
    if (paths.has(mount.mountPath)) errors.push(invalid(`${path}.mountPath`, mount.mountPath, 'must be unique'));
    paths.add(mount.mountPath);
    if (devices.has(mount.name)) errors.push(invalid(`${path}.name`, mount.name, 'must not already exist in volumeDevices'));
    return [...errors, ...validateSubPaths(mount, path), ...validatePropagation(mount, path, container)];
  });
}

function validateSubPaths({ subPath, subPathExpr, readOnly, recursiveReadOnly, mountPropagation }: VolumeMount, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, path] of [
    ['subPath', subPath],
    ['subPathExpr', subPathExpr],
  ] as const) {
    if (!path) continue;
    if (path.startsWith('/')) errors.push(invalid(`${field}.${key}`, path, 'must be a relative path'));
    if (path.split('/').includes('..')) errors.push(invalid(`${field}.${key}`, path, "must not contain '..'"));
  }
  if (subPath && subPathExpr) errors.push(invalid(`${field}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
  if (recursiveReadOnly === undefined) return errors;
  errors.push(...optionalEnum(recursiveReadOnly, `${field}.recursiveReadOnly`, ['Disabled', 'Enabled', 'IfPossible']));
  if (recursiveReadOnly !== 'Disabled') {
    if (!readOnly) errors.push(forbidden(`${field}.recursiveReadOnly`, 'may only be specified when readOnly is true'));
    if (mountPropagation && mountPropagation !== 'None') {
      errors.push(forbidden(`${field}.recursiveReadOnly`, 'may only be specified when mountPropagation is None or not specified'));
    }
  }
  return errors;
}

function validatePropagation({ mountPropagation }: VolumeMount, field: string, { securityContext }: Container): FieldError[] {
  if (mountPropagation === undefined) return [];
  if (!['Bidirectional', 'HostToContainer', 'None'].includes(mountPropagation)) {
    return [notSupported(`${field}.mountPropagation`, mountPropagation, ['Bidirectional', 'HostToContainer', 'None'])];
  }
  if (mountPropagation !== 'Bidirectional' || securityContext?.privileged) return [];
  return [forbidden(`${field}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers')];
}

function validateDevices(
  devices: readonly VolumeDevice[] | undefined,
  field: string,
  container: Container,
  volumes: ReadonlyMap<string, Volume>,
): FieldError[] {
  const mounted = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath));
  const paths = new Set<string>();
  return [
    ...unique(
      devices ?? [],
      ({ name }) => name,
      (index) => `${field}[${index}].name`,
    ),
    ...each(devices, field, ({ name, devicePath }, path) => {
      const errors: FieldError[] = [];
      if (!name) errors.push(required(`${path}.name`));
      else {
        const volume = volumes.get(name);
        if (!volume) errors.push(notFound(`${path}.name`, name));
        else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
          errors.push(invalid(`${path}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'));
        }
      }
      if (!devicePath) return [...errors, required(`${path}.devicePath`)];
      if (paths.has(devicePath)) errors.push(invalid(`${path}.devicePath`, devicePath, 'must be unique'));
      paths.add(devicePath);
      if (devicePath.split('/').includes('..')) errors.push(invalid(`${path}.devicePath`, devicePath, "can not contain '..'"));
      if (mounted.has(devicePath)) errors.push(invalid(`${path}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
      return errors;
    }),
  ];
}

export function validateContainers(scope: PodScope, field: string): FieldError[] {
  const { containers = [] } = scope.spec;
  if (containers.length === 0) return [required(field)];
  return [
    ...unique(
      containers,
      ({ name }) => name,
      (index) => `${field}[${index}].name`,
    ),
    ...each(containers, field, (container, path) => [
      ...validateContainerCommon(container, path, scope),
      ...validateLifecycle(container.lifecycle, `${path}.lifecycle`, scope.spec),
      ...validateOnceProbe(container.livenessProbe, `${path}.livenessProbe`),
      ...validateReadinessProbe(container.readinessProbe, `${path}.readinessProbe`),
      ...validateOnceProbe(container.startupProbe, `${path}.startupProbe`),
      ...validateRestartPolicy(container, path, false),
    ]),
    ...hostPortConflicts(containers, field),
  ];
}

export function validateInitContainers(scope: PodScope, field: string): FieldError[] {
  const { containers = [], initContainers = [] } = scope.spec;
  const taken = new Set(containers.map(({ name }) => name));
  return each(initContainers, field, (container, path) => {
    const sidecar = container.restartPolicy === 'Always';
    const errors = [...validateContainerCommon(container, path, scope), ...validateRestartPolicy(container, path, true)];
    if (container.name) {
      if (taken.has(container.name)) errors.push(duplicate(`${path}.name`, container.name));
      taken.add(container.name);
    }
    if (sidecar) {
      errors.push(
        ...validateLifecycle(container.lifecycle, `${path}.lifecycle`, scope.spec),
        ...validateOnceProbe(container.livenessProbe, `${path}.livenessProbe`),
        ...validateReadinessProbe(container.readinessProbe, `${path}.readinessProbe`),
        ...validateOnceProbe(container.startupProbe, `${path}.startupProbe`),
      );
    } else {
      for (const key of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
        if (container[key]) errors.push(forbidden(`${path}.${key}`, 'may not be set for init containers without restartPolicy=Always'));
      }
    }
    return [...errors, ...hostPortConflicts([container], field)];
  });
}

function validateRestartPolicy({ restartPolicy, restartPolicyRules }: Container, field: string, init: boolean): FieldError[] {
  const errors = optionalEnum(restartPolicy, `${field}.restartPolicy`, ['Always', 'Never', 'OnFailure']);
  if ((restartPolicyRules ?? []).length > 0) {
    if (restartPolicy === undefined) errors.push(required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
    if (init && restartPolicy === 'Always') {
      errors.push(forbidden(`${field}.restartPolicyRules`, 'restartPolicyRules are not allowed for sidecar containers'));
    }
  }
  return [
    ...errors,
    ...each(restartPolicyRules, `${field}.restartPolicyRules`, ({ action, exitCodes }, path) => [
      ...requiredEnum(action, `${path}.action`, ['Restart']),
      ...(exitCodes ? requiredEnum(exitCodes.operator, `${path}.exitCodes.operator`, ['In', 'NotIn']) : [required(`${path}.exitCodes`)]),
    ]),
  ];
}

/** No two containers may want the same port of the host. */
function hostPortConflicts(containers: readonly Container[], field: string): FieldError[] {
  const taken = new Set<string>();
  return each(containers, field, ({ ports }, path) =>
    each(ports, `${path}.ports`, ({ hostPort, hostIP = '', protocol }, portPath) => {
      if (!hostPort) return [];
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) return [duplicate(`${portPath}.hostPort`, key)];
      taken.add(key);
      return [];
    }),
  );
}
