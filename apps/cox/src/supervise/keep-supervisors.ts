import { superviseAgain, type Supervision } from './supervision.js';

const INTERVAL_MS = 5000;

/**
 * The other half of supervision: processes that see to it that the supervisors of some processes live, their own first. Ends with the process;
 * no two processes may keep the same ones.
 */
export function keepSupervisors(supervisions: readonly Supervision[]): void {
  setInterval(() => supervisions.forEach((each) => superviseAgain(each)), INTERVAL_MS).unref();
}
