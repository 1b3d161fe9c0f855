import type { Service } from '@coxswain/api';
import { semanticEqual } from '@coxswain/apimachinery';

export const CLEANUP_FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';

/** A class names somebody else's load balancer. */
export const wantsLoadBalancer = (service: Service): boolean => service.spec?.type === 'LoadBalancer' && service.spec.loadBalancerClass === undefined;

export const hasFinalizer = (service: Service): boolean => service.metadata.finalizers?.includes(CLEANUP_FINALIZER) ?? false;

export const needsCleanup = (service: Service): boolean =>
  hasFinalizer(service) && (service.metadata.deletionTimestamp !== undefined || service.spec?.type !== 'LoadBalancer');

export interface ServiceChange {
  readonly reason: string;
  readonly message: string;
}

/**
 * Whether the load balancer has to follow a change, and what to tell the user of it: a change with an event, a change that speaks for
 * itself (`'quiet'`), or none that matters (undefined). Pure.
 */
export function serviceChange(old: Service, now: Service): ServiceChange | 'quiet' | undefined {
  const was = wantsLoadBalancer(old);
  const is = wantsLoadBalancer(now);
  if (!was && !is) return undefined;
  const a = old.spec ?? {};
  const b = now.spec ?? {};
  const told = (reason: string, from: unknown, to: unknown): ServiceChange => ({ reason, message: `${text(from)} -> ${text(to)}` });
  if (was !== is) return told('Type', a.type, b.type);
  if (!semanticEqual(a.loadBalancerSourceRanges ?? [], b.loadBalancerSourceRanges ?? []))
    return told('LoadBalancerSourceRanges', a.loadBalancerSourceRanges ?? [], b.loadBalancerSourceRanges ?? []);
  if (!semanticEqual(ports(old), ports(now)) || a.sessionAffinity !== b.sessionAffinity) return 'quiet';
  if (!semanticEqual(a.sessionAffinityConfig, b.sessionAffinityConfig)) return 'quiet';
  if ((a.loadBalancerIP ?? '') !== (b.loadBalancerIP ?? '')) return told('LoadbalancerIP', a.loadBalancerIP ?? '', b.loadBalancerIP ?? '');
  const from = a.externalIPs ?? [];
  const to = b.externalIPs ?? [];
  if (from.length !== to.length) return { reason: 'ExternalIP', message: `Count: ${from.length} -> ${to.length}` };
  const added = to.find((ip, i) => ip !== from[i]);
  if (added !== undefined) return { reason: 'ExternalIP', message: `Added: ${added}` };
  if (!semanticEqual(old.metadata.annotations ?? {}, now.metadata.annotations ?? {})) return 'quiet';
  if (old.metadata.uid !== now.metadata.uid) return told('UID', old.metadata.uid, now.metadata.uid);
  if (a.externalTrafficPolicy !== b.externalTrafficPolicy) return told('ExternalTrafficPolicy', a.externalTrafficPolicy, b.externalTrafficPolicy);
  if (a.healthCheckNodePort !== b.healthCheckNodePort) return told('HealthCheckNodePort', a.healthCheckNodePort ?? 0, b.healthCheckNodePort ?? 0);
  if (!semanticEqual([a.ipFamilies, a.ipFamilyPolicy], [b.ipFamilies, b.ipFamilyPolicy])) return 'quiet';
  return undefined;
}

function ports(service: Service): unknown {
  return (service.spec?.ports ?? []).map((p) => [p.name ?? '', p.protocol ?? 'TCP', p.port, p.nodePort ?? 0, p.targetPort ?? p.port, p.appProtocol ?? '']);
}

function text(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(' ')}]` : String(value ?? '');
}
