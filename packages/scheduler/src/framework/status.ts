import type { SchedulingStatus } from '@coxswain/sdk';

export type Refusal = Extract<SchedulingStatus, { code: 'unschedulable' | 'unresolvable' }>;

/** A refusal that preemption might cure. Make constants of them: filters return them in tight loops. */
export const unschedulable = (reason: string, ...more: string[]): Refusal =>
  more.length > 0 ? { code: 'unschedulable', reason, reasons: [reason, ...more] } : { code: 'unschedulable', reason };

/** A refusal that removing pods cannot cure. */
export const unresolvable = (reason: string, ...more: string[]): Refusal =>
  more.length > 0 ? { code: 'unresolvable', reason, reasons: [reason, ...more] } : { code: 'unresolvable', reason };

export const isRefusal = (s: SchedulingStatus): s is Refusal => s.code === 'unschedulable' || s.code === 'unresolvable';

/** Everything a status says, for messages. */
export function reasonsOf(s: SchedulingStatus): readonly string[] {
  if (isRefusal(s)) return s.reasons ?? [s.reason];
  return s.code === 'error' ? [s.error.message] : [];
}
