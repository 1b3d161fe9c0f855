import { parseDocument } from 'yaml';

interface Named<T> {
  readonly name: string;
  readonly value: T;
}

export interface KubeconfigCluster {
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
}

export type KubeconfigUser = { readonly clientCertificate: string; readonly clientKey: string } | { readonly token: string };

/** One cluster, one user and the context that joins them, all under one name. */
export interface KubeconfigEntry {
  readonly name: string;
  readonly cluster: KubeconfigCluster;
  readonly user: KubeconfigUser;
  readonly namespace?: string;
}

type Section = 'clusters' | 'users' | 'contexts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** The three named values of an entry, as kubeconfig files hold them (inline data, no paths). */
export function kubeconfigParts(entry: KubeconfigEntry): Readonly<Record<Section, Named<Record<string, string>>>> {
  const { name, cluster, user } = entry;
  return {
    clusters: { name, value: { 'certificate-authority-data': base64(cluster.certificateAuthority), server: cluster.server } },
    users: {
      name,
      value: 'token' in user ? { token: user.token } : { 'client-certificate-data': base64(user.clientCertificate), 'client-key-data': base64(user.clientKey) },
    },
    contexts: { name, value: { cluster: name, user: name, ...(entry.namespace === undefined ? {} : { namespace: entry.namespace }) } },
  };
}

const inner: Readonly<Record<Section, string>> = { clusters: 'cluster', users: 'user', contexts: 'context' };

/** A kubeconfig file of one entry. */
export function kubeconfigYaml(entry: KubeconfigEntry): string {
  const lines = ['apiVersion: v1', 'kind: Config', `current-context: ${scalar(entry.name)}`];
  for (const [section, { name, value }] of Object.entries(kubeconfigParts(entry))) {
    const values = Object.entries(value).map(([key, text]) => `      ${key}: ${scalar(text)}`);
    lines.push(`${section}:`, `  - name: ${scalar(name)}`, `    ${inner[section as Section]}:`, ...values);
  }
  return `${lines.join('\n')}\n`;
}

/** A double-quoted scalar is JSON; words that cannot be taken for anything but text need no quotes. */
function scalar(text: string): string {
  const plain = /^[A-Za-z][\w./@+=-]*(:\/\/[\w.:[\]/-]+)?$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n|\.?nan|\.?inf)$/i.test(text);
  return plain ? text : JSON.stringify(text);
}

/** A kubeconfig text that is none; the message says what is wrong. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

function parse(text: string) {
  const document = parseDocument(text.trim() === '' ? 'apiVersion: v1\nkind: Config\n' : text);
  const [problem] = document.errors;
  if (problem) throw new KubeconfigError(`not valid YAML: ${problem.message}`);
  const value = document.toJS() as unknown;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new KubeconfigError('not a kubeconfig: it must be a mapping');
  return { document, value: value as Record<string, unknown> };
}

function entries(value: Record<string, unknown>, section: Section): { readonly name?: string }[] {
  const list = value[section];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new KubeconfigError(`not a kubeconfig: ${section} must be a list`);
  return list as { name?: string }[];
}

/** Put the entry into a kubeconfig text and make it current; everything else, comments too, stays as it is. Pure. */
export function mergeIntoKubeconfig(text: string, entry: KubeconfigEntry): string {
  const { document, value } = parse(text);
  for (const [section, part] of Object.entries(kubeconfigParts(entry)) as [Section, Named<Record<string, string>>][]) {
    const list = entries(value, section);
    const node = document.createNode({ name: part.name, [inner[section]]: part.value });
    const at = list.findIndex((e) => e.name === part.name);
    if (at >= 0) document.setIn([section, at], node);
    else if (list.length > 0) document.addIn([section], node);
    else document.set(section, document.createNode([node]));
  }
  document.set('current-context', entry.name);
  return document.toString({ lineWidth: 0 });
}

/** Take the entry of that name out again; the current context is unset when it was this one. Pure. */
export function removeFromKubeconfig(text: string, name: string): string {
  const { document, value } = parse(text);
  for (const section of ['clusters', 'users', 'contexts'] as const) {
    const at = entries(value, section).findIndex((e) => e.name === name);
    if (at >= 0) document.deleteIn([section, at]);
  }
  if (value['current-context'] === name) document.set('current-context', '');
  return document.toString({ lineWidth: 0 });
}
