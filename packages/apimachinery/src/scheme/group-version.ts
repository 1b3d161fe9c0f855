import type { GroupVersionKind } from '@coxswain/api';

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

export interface GroupVersionResource extends GroupVersion {
  readonly resource: string;
}

/** `v1` → core v1, `apps/v1` → apps v1. Throws for more than one slash. */
export function parseGroupVersion(apiVersion: string): GroupVersion {
  if (apiVersion === '' || apiVersion === '/') return { group: '', version: '' };
  const slash = apiVersion.indexOf('/');
  if (slash === -1) return { group: '', version: apiVersion };
  if (apiVersion.indexOf('/', slash + 1) !== -1) throw new Error(`unexpected GroupVersion string: ${apiVersion}`);
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The `apiVersion` of a group and version. */
export function formatGroupVersion({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`;
}

export function gvkOf(object: { apiVersion?: string | undefined; kind?: string | undefined }): GroupVersionKind {
  return { ...parseGroupVersion(object.apiVersion ?? ''), kind: object.kind ?? '' };
}

/** `apps/v1, Kind=Deployment`: how messages name a kind. */
export const formatGvk = (gvk: GroupVersionKind): string => `${formatGroupVersion(gvk)}, Kind=${gvk.kind}`;

const KUBE_VERSION = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$/;

/**
 * Order of version names by preference, most preferred first: GA before beta before alpha, higher numbers first, and names of
 * another shape last, alphabetically (upstream's kube-aware version priority).
 */
export function compareVersions(a: string, b: string): number {
  const x = KUBE_VERSION.exec(a);
  const y = KUBE_VERSION.exec(b);
  if (!x || !y) return x ? -1 : y ? 1 : a < b ? -1 : a > b ? 1 : 0;
  const stage = (m: RegExpExecArray) => (m[2] === undefined ? 2 : m[2] === 'beta' ? 1 : 0);
  return stage(y) - stage(x) || Number(y[1]) - Number(x[1]) || Number(y[3] ?? 0) - Number(x[3] ?? 0);
}
