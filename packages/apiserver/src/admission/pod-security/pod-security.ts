import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { isFor, lookup, objects, refuse } from '../admission-env.js';
import type { AdmissionEnv } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';
import { podView } from './check.js';
import type { ContainerView, PodSpecView } from './check.js';
import { noPodSecuritySettings } from './settings.js';
import type { PodSecuritySettings } from './settings.js';
import { detailsOf, evaluate, policyOf, reasonsOf, strictness, textOf } from './policy.js';

const TEMPLATES = new Set([
  '/replicationcontrollers',
  '/podtemplates',
  'apps/replicasets',
  'apps/deployments',
  'apps/statefulsets',
  'apps/daemonsets',
  'batch/jobs',
  'batch/cronjobs',
]);
const CHECKED_SUBRESOURCES = new Set(['', 'ephemeralcontainers', 'resize']);
const MAX_PODS = 3000;
const EXEMPT = 'pod-security.kubernetes.io/exempt';

/** The Pod Security Standards: what pods of a namespace may do, by its labels. */
export function podSecurity(env: AdmissionEnv, settings: PodSecuritySettings = noPodSecuritySettings): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    order: AdmissionOrder.podSecurity,
    handles({ operation, resource: { group, resource }, subresource }) {
      if (operation !== 'CREATE' && operation !== 'UPDATE') return false;
      if (group === '' && resource === 'pods') return CHECKED_SUBRESOURCES.has(subresource);
      return subresource === '' && ((group === '' && resource === 'namespaces') || TEMPLATES.has(`${group}/${resource}`));
    },
    validate(request) {
      if (!request.object) return;
      if (isFor(request, '', 'namespaces')) checkNamespace(env, settings, request, request.object);
      else if (isExempt(request, settings)) return;
      else if (request.resource.resource === 'pods') checkPod(env, settings, request, request.object);
      else checkTemplate(env, settings, request, request.object);
    },
  };
}

/** Namespaces and users the standards do not concern; the audit log says so. */
function isExempt(request: AdmissionRequest, { exemptions }: PodSecuritySettings): boolean {
  const why = exemptions.namespaces.includes(request.namespace) ? 'namespace' : exemptions.usernames.includes(request.user.name) ? 'user' : undefined;
  if (why) request.audit(EXEMPT, why);
  return why !== undefined;
}

function checkPod(env: AdmissionEnv, settings: PodSecuritySettings, request: AdmissionRequest, pod: KubeObject): void {
  if (request.operation === 'UPDATE' && request.oldObject && !isSignificant(pod, request.oldObject)) return;
  judge(env, settings, request, pod, true);
}

function checkTemplate(env: AdmissionEnv, settings: PodSecuritySettings, request: AdmissionRequest, object: KubeObject): void {
  const template = (object.template ?? object.spec?.jobTemplate?.spec?.template ?? object.spec?.template) as KubeObject | undefined;
  if (template) judge(env, settings, request, template, false);
}

function judge(
  env: AdmissionEnv,
  { defaults, exemptions }: PodSecuritySettings,
  request: AdmissionRequest,
  pod: { readonly metadata?: KubeObject['metadata']; readonly spec?: unknown },
  enforced: boolean,
): void {
  const { modes, errors } = policyOf(lookup(env, '', 'namespaces', '', request.namespace)?.metadata.labels, defaults);
  const runtimeClass = (pod.spec as (PodSpecView & { readonly runtimeClassName?: string }) | undefined)?.runtimeClassName;
  if (runtimeClass && exemptions.runtimeClasses.includes(runtimeClass)) {
    request.audit(EXEMPT, 'runtimeClass');
    return;
  }
  const { enforce, audit, warn } = modes;
  if (audit.level === 'privileged' && warn.level === 'privileged' && (!enforced || enforce.level === 'privileged')) return;
  const view = podView(pod);
  if (errors.length > 0)
    request.audit('pod-security.kubernetes.io/error', `Failed to parse policy: ${errors.map(({ field, message }) => `${field}: ${message}`).join(', ')}`);
  if (enforced) request.audit('pod-security.kubernetes.io/enforce-policy', textOf(enforce));
  const audited = evaluate(view, audit);
  if (audited.length > 0)
    request.audit('pod-security.kubernetes.io/audit-violations', `would violate PodSecurity ${JSON.stringify(textOf(audit))}: ${detailsOf(audited)}`);
  const forbidden = enforced ? evaluate(view, enforce) : [];
  if (forbidden.length > 0) refuse(request, `violates PodSecurity ${JSON.stringify(textOf(enforce))}: ${detailsOf(forbidden)}`);
  const warned = evaluate(view, warn);
  if (warned.length > 0) request.warn(`would violate PodSecurity ${JSON.stringify(textOf(warn))}: ${detailsOf(warned)}`);
}

/** Labels must be right when they are new; a stricter level warns about pods that are there already. */
function checkNamespace(env: AdmissionEnv, { defaults, exemptions }: PodSecuritySettings, request: AdmissionRequest, namespace: KubeObject): void {
  const now = policyOf(namespace.metadata.labels, defaults);
  const before = request.operation === 'UPDATE' ? policyOf(request.oldObject?.metadata.labels, defaults) : undefined;
  const name = namespace.metadata.name ?? '';
  if (now.errors.length > 0 && JSON.stringify(now.errors) !== JSON.stringify(before?.errors))
    throw ApiError.invalid({ group: '', kind: 'Namespace' }, name, [...now.errors]);
  if (!before || exemptions.namespaces.includes(name)) return;
  const [to, from] = [now.modes.enforce, before.modes.enforce];
  if (to.level === 'privileged' || textOf(to) === textOf(from) || (to.version === from.version && strictness(to.level) <= strictness(from.level))) return;
  for (const warning of existingPods(env, name, to)) request.warn(warning);
}

function existingPods(env: AdmissionEnv, namespace: string, enforce: Parameters<typeof evaluate>[1]): string[] {
  const found = new Map<string, string[]>();
  let checked = 0;
  let total = 0;
  for (const pod of objects(env, '', 'pods', namespace)) {
    if (++total > MAX_PODS) continue;
    checked++;
    const violations = evaluate(podView(pod), enforce);
    if (violations.length === 0) continue;
    const reasons = reasonsOf(violations);
    const names = found.get(reasons) ?? [];
    names.push(pod.metadata.name ?? '');
    found.set(reasons, names);
  }
  const warnings: string[] = [];
  if (checked < total) warnings.push(`new PodSecurity enforce level only checked against the first ${checked} of ${total} existing pods`);
  if (found.size > 0)
    warnings.push(`existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(textOf(enforce))}`);
  const lines = [...found].map(([reasons, [first = '', ...rest]]) => {
    const others = rest.length === 0 ? '' : rest.length === 1 ? ' (and 1 other pod)' : ` (and ${rest.length} other pods)`;
    return `${first}${others}: ${reasons}`;
  });
  return [...warnings, ...lines.sort()];
}

/** Of what may change in a pod only images and added containers matter here. */
function isSignificant(pod: KubeObject, old: KubeObject): boolean {
  const images = (list: readonly ContainerView[] | undefined) => JSON.stringify((list ?? []).map(({ name, image }) => [name, image]));
  const [now, before] = [pod.spec as PodSpecView, old.spec as PodSpecView];
  return (['containers', 'initContainers', 'ephemeralContainers'] as const).some((list) => images(now[list]) !== images(before[list]));
}
