export type Tone = 'good' | 'busy' | 'bad';

const GOOD = new Set(['Running', 'Ready', 'Active', 'Bound', 'Available', 'Complete', 'Completed', 'Succeeded', 'True']);
const BUSY = /^(Pending|ContainerCreating|PodInitializing|Init:\d|Terminating|NotReady|Released|Unknown|SchedulingGated|Warning|.*SchedulingDisabled)/;
const BAD = /(Error|Failed|CrashLoopBackOff|BackOff|Evicted|OOMKilled|Invalid|False$|Lost)/;

/** The colour of a status. Readiness counts (`1/3`) are busy until they are full. */
export function tone(column: string, value: string): Tone | undefined {
  if (column === 'Status' || column === 'Type' || column === 'Available' || column === 'Conditions') {
    if (BAD.test(value)) return 'bad';
    if (BUSY.test(value)) return 'busy';
    if (GOOD.has(value)) return 'good';
    return undefined;
  }
  const counts = column === 'Ready' || column === 'Completions' ? /^(\d+)\/(\d+)$/.exec(value) : null;
  if (counts) return counts[1] === counts[2] ? undefined : 'busy';
  return undefined;
}
