import type { KubeObject } from '@coxswain/api';
import { claimsOfVolumes } from '@coxswain/apimachinery';
import type { AuthorizationAttributes, AuthorizationResult, Authorizer } from '@coxswain/sdk';
import { nodeOfUser } from '../admission/node-admission.js';
import { clusterRoles } from '../bootstrap/cluster-roles.js';
import { ruleAllows } from '../rbac/rules.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';

const ALLOW: AuthorizationResult = { decision: 'allow' };
const NO_OPINION: AuthorizationResult = { decision: 'no-opinion' };
const READS = new Set(['get', 'list', 'watch']);

interface Volume {
  readonly secret?: { readonly secretName?: string };
  readonly configMap?: { readonly name?: string };
  readonly persistentVolumeClaim?: { readonly claimName?: string };
  readonly ephemeral?: object;
  readonly name: string;
  readonly projected?: { readonly sources?: readonly { readonly secret?: { readonly name?: string }; readonly configMap?: { readonly name?: string } }[] };
}

/**
 * What a kubelet may read: secrets, config maps, claims and volumes of the pods on its node; the rest by the rules of system:node.
 * References are looked up through the index of pods by node, so that there is no graph to keep.
 */
export class NodeAuthorizer implements Authorizer {
  readonly name = 'Node';
  readonly #rules = clusterRoles.find((role) => role.name === 'system:node')?.rules ?? [];

  constructor(readonly registry: ResourceRegistry) {}

  authorize(attributes: AuthorizationAttributes): AuthorizationResult {
    const { user, verb, target } = attributes;
    const node = nodeOfUser(user);
    if (node === undefined) return NO_OPINION;
    if (target.type === 'resource') {
      const refused = (why: string): AuthorizationResult => ({ decision: 'no-opinion', reason: why });
      const { group, resource, namespace = '', name, subresource } = target;
      switch (`${group}/${resource}`) {
        case '/secrets':
        case '/configmaps':
          return this.#reading(verb, name, () => this.#podsRefer(node, namespace, name as string, resource === 'secrets' ? secretsOf : configMapsOf), node);
        case '/persistentvolumeclaims':
          if (subresource === 'status' && (verb === 'update' || verb === 'patch' || verb === 'get'))
            return this.#podsRefer(node, namespace, name ?? '', claimsOfVolumes) ? ALLOW : refused(noRelation(node));
          return verb === 'get' && subresource === undefined && this.#podsRefer(node, namespace, name ?? '', claimsOfVolumes)
            ? ALLOW
            : refused(noRelation(node));
        case 'resource.k8s.io/resourceclaims':
          return verb === 'get' && subresource === undefined && this.#podsRefer(node, namespace, name ?? '', resourceClaimsOf)
            ? ALLOW
            : refused(noRelation(node));
        case '/persistentvolumes':
          return verb === 'get' && this.#usesVolume(node, name ?? '') ? ALLOW : refused(noRelation(node));
        case '/serviceaccounts':
          if (subresource === 'token' && verb === 'create')
            return this.#podsRefer(node, namespace, name ?? '', (pod) => [(pod.spec?.serviceAccountName ?? '') as string]) ? ALLOW : refused(noRelation(node));
          break;
        case 'coordination.k8s.io/leases':
          if (namespace !== 'kube-node-lease') return refused('can only access leases in the "kube-node-lease" system namespace');
          if (verb === 'create') return ALLOW;
          return name === node && ['get', 'update', 'patch', 'delete'].includes(verb)
            ? ALLOW
            : refused('can only access lease with the same name as the requesting node');
        case 'storage.k8s.io/csinodes':
          if (verb === 'create') return ALLOW;
          return name === node && ['get', 'update', 'patch', 'delete'].includes(verb)
            ? ALLOW
            : refused('can only access CSINode with the same name as the requesting node');
        case 'storage.k8s.io/volumeattachments': {
          const attachment = name ? this.registry.storage('storage.k8s.io', 'volumeattachments').cache.get('', name)?.object : undefined;
          return verb === 'get' && attachment?.spec?.nodeName === node ? ALLOW : refused(noRelation(node));
        }
      }
    }
    return this.#rules.some((rule) => ruleAllows(rule, attributes)) ? ALLOW : NO_OPINION;
  }

  #reading(verb: string, name: string | undefined, related: () => boolean, node: string): AuthorizationResult {
    if (!READS.has(verb)) return { decision: 'no-opinion', reason: 'can only read resources of this type' };
    if (name === undefined) return { decision: 'no-opinion', reason: 'No Object name found' };
    return related() ? ALLOW : { decision: 'no-opinion', reason: noRelation(node) };
  }

  #podsRefer(node: string, namespace: string, name: string, references: (pod: KubeObject) => readonly string[]): boolean {
    for (const { object: pod } of this.#pods(node)) if (pod.metadata.namespace === namespace && references(pod).includes(name)) return true;
    return false;
  }

  #usesVolume(node: string, volume: string): boolean {
    const claims = this.registry.storage('', 'persistentvolumeclaims').cache;
    for (const { object: pod } of this.#pods(node)) {
      for (const claim of claimsOfVolumes(pod)) if (claims.get(pod.metadata.namespace ?? '', claim)?.object.spec?.volumeName === volume) return true;
    }
    return false;
  }

  #pods(node: string) {
    return this.registry.storage('', 'pods').cache.byIndex('spec.nodeName', node);
  }
}

const noRelation = (node: string): string => `no relationship found between node '${node}' and this object`;

const volumesOf = (pod: KubeObject): readonly Volume[] => (pod.spec?.volumes ?? []) as Volume[];

interface EnvContainer {
  readonly env?: readonly {
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string }; readonly configMapKeyRef?: { readonly name?: string } };
  }[];
  readonly envFrom?: readonly { readonly secretRef?: { readonly name?: string }; readonly configMapRef?: { readonly name?: string } }[];
}

const containersOf = (pod: KubeObject): readonly EnvContainer[] =>
  [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []), ...(pod.spec?.ephemeralContainers ?? [])] as EnvContainer[];

function secretsOf(pod: KubeObject): string[] {
  const names: (string | undefined)[] = ((pod.spec?.imagePullSecrets ?? []) as { name?: string }[]).map(({ name }) => name);
  for (const volume of volumesOf(pod)) {
    names.push(volume.secret?.secretName, ...(volume.projected?.sources ?? []).map((source) => source.secret?.name));
    names.push(...secretRefsIn(volume));
  }
  for (const container of containersOf(pod)) {
    names.push(...(container.env ?? []).map((env) => env.valueFrom?.secretKeyRef?.name), ...(container.envFrom ?? []).map((from) => from.secretRef?.name));
  }
  return names.filter((name) => name !== undefined);
}

/** Volume kinds of drivers name theirs in `secretRef` and the like. */
function secretRefsIn(volume: Volume): (string | undefined)[] {
  return Object.values(volume).flatMap((source) => {
    if (typeof source !== 'object' || source === null) return [];
    const { secretRef, nodePublishSecretRef } = source as { secretRef?: { name?: string }; nodePublishSecretRef?: { name?: string } };
    return [secretRef?.name, nodePublishSecretRef?.name];
  });
}

function configMapsOf(pod: KubeObject): string[] {
  const names: (string | undefined)[] = [];
  for (const volume of volumesOf(pod)) names.push(volume.configMap?.name, ...(volume.projected?.sources ?? []).map((source) => source.configMap?.name));
  for (const container of containersOf(pod)) {
    names.push(
      ...(container.env ?? []).map((env) => env.valueFrom?.configMapKeyRef?.name),
      ...(container.envFrom ?? []).map((from) => from.configMapRef?.name),
    );
  }
  return names.filter((name) => name !== undefined);
}

function resourceClaimsOf(pod: KubeObject): string[] {
  const named = (pod.spec?.resourceClaims ?? []) as { resourceClaimName?: string }[];
  const generated = (pod.status?.resourceClaimStatuses ?? []) as { resourceClaimName?: string }[];
  const extended = pod.status?.extendedResourceClaimStatus as { resourceClaimName?: string } | undefined;
  return [...named, ...generated, ...(extended ? [extended] : [])].flatMap(({ resourceClaimName }) => resourceClaimName ?? []);
}
