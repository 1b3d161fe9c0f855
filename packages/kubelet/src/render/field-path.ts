import type { Container, Pod, ResourceFieldSelector } from '@coxswain/api';
import { isSidecar } from '../pod/pod-spec.js';
import { quantityValue } from '../pod/quantity.js';

export interface FieldContext {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  readonly podIPs: readonly string[];
  /** Defaults for limits that are not set. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** The value of a downward API field. Undefined: a path that is not supported. */
export function fieldValue(pod: Pod, path: string, context: FieldContext): string | undefined {
  const meta = pod.metadata ?? {};
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed) return (keyed[1] === 'labels' ? meta.labels : meta.annotations)?.[keyed[2] as string] ?? '';
  switch (path) {
    case 'metadata.name':
      return meta.name ?? '';
    case 'metadata.namespace':
      return meta.namespace ?? '';
    case 'metadata.uid':
      return meta.uid ?? '';
    case 'metadata.labels':
      return formatMap(meta.labels);
    case 'metadata.annotations':
      return formatMap(meta.annotations);
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? context.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return context.hostIPs[0] ?? '';
    case 'status.hostIPs':
      return context.hostIPs.join(',');
    case 'status.podIP':
      return context.podIPs[0] ?? '';
    case 'status.podIPs':
      return context.podIPs.join(',');
    default:
      return undefined;
  }
}

/** Fields only known once the pod has a sandbox. */
export const needsPodIP = (path: string) => path === 'status.podIP' || path === 'status.podIPs';

function formatMap(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${k}=${quote(v)}`)
    .join('\n');
}

const quote = (text: string) => JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => c);

/** A container's own request or limit divided by the divisor, rounded up. Throws for an unknown container or resource. */
export function resourceValue(pod: Pod, own: Container | undefined, selector: ResourceFieldSelector, context: FieldContext): string {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter((c) => isSidecar(c) || c.name === selector.containerName)];
  const container = selector.containerName ? all.find((c) => c.name === selector.containerName) : own;
  if (!container) throw new Error(`container ${selector.containerName} not found`);
  const [kind, ...rest] = selector.resource.split('.');
  const name = rest.join('.');
  if ((kind !== 'limits' && kind !== 'requests') || !name) throw new Error(`Unsupported container resource : ${selector.resource}`);
  const { limits, requests } = container.resources ?? {};
  const set = kind === 'limits' ? limits?.[name] : (requests?.[name] ?? limits?.[name]);
  const value = quantityValue(set ?? (kind === 'limits' ? context.allocatable[name] : undefined));
  const divisor = quantityValue(selector.divisor) || 1;
  return String(Math.ceil(value / divisor - 1e-9));
}
