import type { FieldError } from '../../field-error.js';
import type { PodSpec } from '../../generated/types.js';
import { forbidden, notSupported } from '../errors.js';

const WINDOWS = ['SIGKILL', 'SIGTERM'];
const NAMED =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ';
const upTo = (count: number, name: (n: number) => string) => Array.from({ length: count }, (_, n) => (n === 0 ? name(0).slice(0, -2) : name(n)));
const LINUX = [...NAMED.split(' ').map((name) => `SIG${name}`), ...upTo(16, (n) => `SIGRTMIN+${n}`), ...upTo(15, (n) => `SIGRTMAX-${n}`)].sort();

/** Which signals there are depends on the operating system, so the pod has to name it. */
export function validateStopSignal(signal: string | undefined, field: string, os: PodSpec['os']): FieldError[] {
  if (signal === undefined) return [];
  if (!os?.name) return [forbidden(field, 'may not be set for containers with empty `spec.os.name`')];
  const known = os.name === 'windows' ? WINDOWS : LINUX;
  return known.includes(signal) ? [] : [notSupported(field, signal, known)];
}
