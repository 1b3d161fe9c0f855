import type { KubeObject } from '@coxswain/api';
import { deepEqual } from '@coxswain/apimachinery';
import type { Transport } from '@coxswain/client';
import type { Logger } from '@coxswain/sdk';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { OWN_USER_AGENT } from '../request/send-own.js';
import type { PolicyRule } from '../rbac/rules.js';
import { flowSchemas, priorityLevels } from '../flowcontrol/defaults.js';
import { clusterRoleBindings, roleBindings, roles } from './bindings.js';
import type { StartHook, StartHooks } from '../health/start-hooks.js';
import { clusterRoles } from './cluster-roles.js';
import { controllerRoles } from './controller-roles.js';
import type { BootstrapBinding, BootstrapRole } from './policy-types.js';

const RBAC = 'rbac.authorization.k8s.io';
const RBAC_VERSION = `${RBAC}/v1`;
const FLOW_CONTROL = 'flowcontrol.apiserver.k8s.io';
const BOOTSTRAPPED = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
/** So often a store that is not available is asked again; it has waited some seconds each time. */
const PATIENCE = 5;
const NAMESPACES = ['kube-system', 'default', 'kube-public', 'kube-node-lease'];

export interface BootstrapOptions {
  readonly transport: Transport;
  readonly registry: ResourceRegistry;
  readonly logger: Logger;
  /** Told what is done. */
  readonly hooks: Pick<StartHooks, 'done'>;
  readonly serviceRanges: readonly string[];
  /** The address of the `kubernetes` service: the first of the range. */
  readonly kubernetesIP: string;
  readonly securePort: number;
  /** What aggregated API servers check clients with: config map `extension-apiserver-authentication`. */
  readonly authentication: Readonly<Record<string, string>>;
}

/** Everything that has to exist in a cluster for the rest to work; what is there already is completed, not replaced. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const make = new Maker(options);
  const step = async (hook: StartHook, ...parts: readonly Promise<unknown>[]) => {
    await Promise.all(parts);
    options.hooks.done(hook);
  };
  await step(
    'start-system-namespaces-controller',
    ...NAMESPACES.map((name) => make.ensure('', 'v1', 'namespaces', '', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
  );
  const policy = [
    ...[...clusterRoles, ...controllerRoles].map((role) => make.role(clusterRole(role))),
    ...clusterRoleBindings.map((binding) => make.binding(bindingObject(binding))),
    ...roles.map((role) => make.role({ ...roleObject(role, 'Role'), metadata: { ...roleObject(role, 'Role').metadata, namespace: role.namespace } })),
    ...roleBindings.map((binding) => make.binding(bindingObject(binding))),
  ];
  await Promise.all([
    step('rbac/bootstrap-roles', ...policy),
    step(
      'scheduling/bootstrap-system-priority-classes',
      ...[
        [
          'system-cluster-critical',
          2_000_000_000,
          'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
        ] as const,
        ['system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'] as const,
      ].map(([name, value, description]) =>
        make.ensure('scheduling.k8s.io', 'v1', 'priorityclasses', '', {
          apiVersion: 'scheduling.k8s.io/v1',
          kind: 'PriorityClass',
          metadata: { name },
          value,
          description,
        }),
      ),
    ),
    step(
      'start-kubernetes-service-cidr-controller',
      make.ensure('networking.k8s.io', 'v1', 'servicecidrs', '', {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'ServiceCIDR',
        metadata: { name: 'kubernetes' },
        spec: { cidrs: options.serviceRanges },
      }),
    ),
    // CAs may have been renewed since: custom API servers follow the map.
    step(
      'start-cluster-authentication-info-controller',
      make.replace(
        '',
        'v1',
        'configmaps',
        'kube-system',
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'extension-apiserver-authentication' }, data: options.authentication },
        ['data'],
      ),
    ),
    step('priority-and-fairness-config-producer', ensureFlowControl(options)),
    ensureKubernetesService(options),
  ]);
}

/** The levels and schemas that requests are told apart by from the start. Also later: somebody may have deleted one. */
export async function ensureFlowControl(options: Pick<BootstrapOptions, 'transport' | 'registry'>): Promise<void> {
  const make = new Maker(options);
  await Promise.all([
    ...priorityLevels.map((level) => make.ensure(FLOW_CONTROL, 'v1', 'prioritylevelconfigurations', '', level)),
    ...flowSchemas.map((schema) => make.ensure(FLOW_CONTROL, 'v1', 'flowschemas', '', schema)),
  ]);
}

/** The API server as the cluster sees it. Also later: somebody may have deleted it. */
export async function ensureKubernetesService(options: Pick<BootstrapOptions, 'transport' | 'registry' | 'securePort' | 'kubernetesIP'>): Promise<void> {
  const make = new Maker(options);
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const port = { name: 'https', protocol: 'TCP', port: 443, targetPort: options.securePort };
  await make.ensure('', 'v1', 'services', 'default', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', labels },
    spec: { type: 'ClusterIP', clusterIP: options.kubernetesIP, sessionAffinity: 'None', ports: [port] },
  });
}

/** Who serves behind the `kubernetes` Service: all API servers that are there. */
export async function publishServers(options: Pick<BootstrapOptions, 'transport' | 'registry' | 'securePort'>, addresses: readonly string[]): Promise<void> {
  const make = new Maker(options);
  const ports = [{ name: 'https', port: options.securePort, protocol: 'TCP' }];
  await make.replace(
    '',
    'v1',
    'endpoints',
    'default',
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'kubernetes', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports }],
    },
    ['subsets'],
  );
  await make.replace(
    'discovery.k8s.io',
    'v1',
    'endpointslices',
    'default',
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: addresses[0]?.includes(':') ? 'IPv6' : 'IPv4',
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
      ports,
    },
    ['endpoints', 'ports', 'addressType'],
  );
}

function roleObject({ name, labels, rules, aggregates }: BootstrapRole, kind: 'Role' | 'ClusterRole'): KubeObject {
  return {
    apiVersion: RBAC_VERSION,
    kind,
    metadata: { name, labels: { ...BOOTSTRAPPED, ...labels }, annotations: { [AUTO_UPDATE]: 'true' } },
    ...(aggregates ? { aggregationRule: { clusterRoleSelectors: aggregates.map((matchLabels) => ({ matchLabels })) } } : {}),
    rules,
  };
}

/** Aggregated roles start with what they will be made of, so that nobody has to wait for the controller. */
function clusterRole(role: BootstrapRole): KubeObject {
  const collected = (of: BootstrapRole): readonly PolicyRule[] =>
    of.aggregates
      ? clusterRoles
          .filter((other) => other !== of && of.aggregates?.some((labels) => Object.entries(labels).every(([key, value]) => other.labels?.[key] === value)))
          .flatMap(collected)
      : of.rules;
  return roleObject({ ...role, rules: collected(role) }, 'ClusterRole');
}

function bindingObject({ name, role, subjects, namespace, roleKind = 'ClusterRole' }: BootstrapBinding): KubeObject {
  return {
    apiVersion: RBAC_VERSION,
    kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name, ...(namespace ? { namespace } : {}), labels: BOOTSTRAPPED, annotations: { [AUTO_UPDATE]: 'true' } },
    roleRef: { apiGroup: RBAC, kind: roleKind, name: role },
    subjects: subjects.map((subject) => (subject.kind === 'ServiceAccount' ? subject : { apiGroup: RBAC, ...subject })),
  };
}

class Maker {
  constructor(readonly options: Pick<BootstrapOptions, 'transport' | 'registry'>) {}

  /** Create it unless it is there. */
  async ensure(group: string, version: string, resource: string, namespace: string, object: KubeObject): Promise<void> {
    if (this.#find(group, version, resource, namespace, object.metadata.name as string)) return;
    await this.#send('POST', path(group, version, resource, namespace), object, [409]);
  }

  /** Create it, or bring these members up to date. When another server was faster, what it wrote stays until the next look. */
  async replace(group: string, version: string, resource: string, namespace: string, object: KubeObject, members: readonly string[]): Promise<void> {
    const name = object.metadata.name as string;
    const found = this.#find(group, version, resource, namespace, name);
    if (!found) return this.ensure(group, version, resource, namespace, object);
    if (members.every((member) => deepEqual(found[member], object[member]))) return;
    const changed = Object.fromEntries(members.map((member) => [member, object[member]]));
    await this.#send('PUT', `${path(group, version, resource, namespace)}/${name}`, { ...found, ...changed } as KubeObject, [409]);
  }

  /** Rules that are missing are added; what somebody added stays. */
  async role(object: KubeObject): Promise<void> {
    const resource = object.kind === 'Role' ? 'roles' : 'clusterroles';
    const namespace = object.metadata.namespace ?? '';
    const name = object.metadata.name as string;
    const found = this.#find(RBAC, 'v1', resource, namespace, name);
    if (!found) return this.ensure(RBAC, 'v1', resource, namespace, object);
    if (found.metadata.annotations?.[AUTO_UPDATE] === 'false') return;
    const present = (found.rules ?? []) as PolicyRule[];
    const missing = found.aggregationRule ? [] : (object.rules as PolicyRule[]).filter((rule) => !present.some((other) => deepEqual(other, rule)));
    const labels = { ...found.metadata.labels, ...object.metadata.labels };
    if (missing.length === 0 && deepEqual(labels, found.metadata.labels)) return;
    const url = `${path(RBAC, 'v1', resource, namespace)}/${encodeURIComponent(name)}`;
    await this.#send('PUT', url, { ...found, metadata: { ...found.metadata, labels }, rules: [...present, ...missing] }, []);
  }

  async binding(object: KubeObject): Promise<void> {
    const resource = object.kind === 'RoleBinding' ? 'rolebindings' : 'clusterrolebindings';
    const namespace = object.metadata.namespace ?? '';
    const name = object.metadata.name as string;
    const found = this.#find(RBAC, 'v1', resource, namespace, name);
    if (!found) return this.ensure(RBAC, 'v1', resource, namespace, object);
    if (found.metadata.annotations?.[AUTO_UPDATE] === 'false') return;
    const present = (found.subjects ?? []) as object[];
    const missing = (object.subjects as object[]).filter((subject) => !present.some((other) => deepEqual(other, subject)));
    if (missing.length === 0) return;
    await this.#send('PUT', `${path(RBAC, 'v1', resource, namespace)}/${encodeURIComponent(name)}`, { ...found, subjects: [...present, ...missing] }, []);
  }

  #find(group: string, version: string, resource: string, namespace: string, name: string): KubeObject | undefined {
    const served = this.options.registry.find(group, version, resource);
    const stored = served?.storage?.cache.get(namespace, name);
    return served && stored ? served.codec.object(stored) : undefined;
  }

  async #send(method: 'POST' | 'PUT', url: string, object: KubeObject, accepted: readonly number[]): Promise<void> {
    for (let unavailable = 0; ; ) {
      const response = await this.options.transport.request({
        method,
        path: url,
        headers: { 'content-type': 'application/json', 'user-agent': OWN_USER_AGENT },
        body: JSON.stringify(object),
      });
      if (response.status < 300 || accepted.includes(response.status)) return;
      // A store that was looking for a leader may have written it all the same.
      if (response.status === 409 && unavailable > 0) return;
      if (response.status === 503 && ++unavailable <= PATIENCE) continue;
      throw new Error(`bootstrap: ${method} ${url} of ${object.metadata.name}: ${response.status} ${Buffer.from(response.body).toString()}`);
    }
  }
}

function path(group: string, version: string, resource: string, namespace: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespace === '' ? '' : `/namespaces/${namespace}`}/${resource}`;
}
