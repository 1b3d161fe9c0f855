import { constants } from 'node:os';
import { Signal } from '@coxswain/cri';

const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** Signal numbers by name (`SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`); undefined for what is no signal. */
export function signalNumber(text: string): number | undefined {
  if (text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toUpperCase().startsWith('SIG') ? text.toUpperCase() : `SIG${text.toUpperCase()}`;
  const realtime = /^SIGRT(MIN|MAX)(?:([+-]|PLUS|MINUS)(\d+))?$/.exec(name);
  if (realtime) {
    const offset = Number(realtime[3] ?? 0);
    return (realtime[1] === 'MIN' ? SIGRTMIN : SIGRTMAX) + (realtime[2] === '-' || realtime[2] === 'MINUS' ? -offset : offset);
  }
  if (name === 'SIGCLD') return constants.signals.SIGCHLD;
  return (constants.signals as Readonly<Record<string, number>>)[name];
}

/** The signal that stops a container: the pod's wish, else the image's, else SIGTERM. */
export function stopSignalOf(wish: Signal, image: string): number {
  const chosen = wish === Signal.RUNTIME_DEFAULT ? image : Signal[wish];
  return signalNumber(chosen) ?? constants.signals.SIGTERM;
}

/** As CRI reports it. */
export function stopSignalEnum(wish: Signal, image: string): Signal {
  if (wish !== Signal.RUNTIME_DEFAULT) return wish;
  const number = signalNumber(image);
  const name = Object.keys(Signal).find((key) => key.startsWith('SIG') && signalNumber(key) === number);
  return name === undefined ? Signal.SIGTERM : Signal[name as keyof typeof Signal];
}
