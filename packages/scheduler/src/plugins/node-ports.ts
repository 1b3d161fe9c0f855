import { skip, success, type SchedulerPlugin } from '@coxswain/sdk';
import { podFacts, type HostPort } from '../framework/pod-resources.js';
import { unschedulable } from '../framework/status.js';

const REFUSED = unschedulable("node(s) didn't have free ports for the requested pod ports");
const ANY = '0.0.0.0';

/** A port on all addresses conflicts with the same port on any. */
function taken(used: ReadonlySet<string>, { ip, protocol, port }: HostPort): boolean {
  if (used.size === 0) return false;
  const rest = `/${protocol}/${port}`;
  if (ip !== ANY) return used.has(ANY + rest) || used.has(ip + rest);
  for (const key of used) if (key.endsWith(rest)) return true;
  return false;
}

/** Host ports are free. */
export const nodePorts = (): SchedulerPlugin => ({
  name: 'NodePorts',
  events: [
    { resource: 'AssignedPod', action: 'delete' },
    { resource: 'Node', action: 'add' },
  ],
  sign: (pod) => JSON.stringify(podFacts(pod).hostPorts),
  preFilter: (_state, pod) => ({ status: podFacts(pod).hostPorts.length === 0 ? skip : success }),
  filter(_state, pod, node) {
    for (const p of podFacts(pod).hostPorts) if (taken(node.usedPorts, p)) return REFUSED;
    return success;
  },
});
