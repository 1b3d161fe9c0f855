import type { Pod } from '@coxswain/api';
import type { NamedPort, PodFacts } from './selection.js';

/** What policies need to know of a pod; undefined when they do not concern it. Pure. */
export function podFacts(pod: Pod, nodeName: string): PodFacts | undefined {
  const { metadata, spec, status } = pod;
  // Pods on the host's network are the host: policies can neither select nor isolate them.
  if (!spec || spec.hostNetwork || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  const listed = (status?.podIPs ?? []).map((p) => p.ip).filter((ip): ip is string => typeof ip === 'string' && ip !== '');
  const all = listed.length > 0 ? listed : status?.podIP ? [status.podIP] : [];
  if (all.length === 0) return undefined;
  const namedPorts: NamedPort[] = [];
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')]) {
    for (const port of container.ports ?? []) {
      if (port.name) namedPorts.push({ name: port.name, protocol: port.protocol ?? 'TCP', port: port.containerPort });
    }
  }
  return {
    key: `${metadata.namespace}/${metadata.name}`,
    namespace: metadata.namespace ?? '',
    labels: metadata.labels ?? {},
    ips: { 4: all.filter((ip) => !ip.includes(':')), 6: all.filter((ip) => ip.includes(':')) },
    namedPorts,
    local: spec.nodeName === nodeName,
    created: String(metadata.creationTimestamp ?? ''),
  };
}
