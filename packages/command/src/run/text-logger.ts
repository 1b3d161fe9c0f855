import type { LogFields, Logger } from '@coxswain/sdk';
import type { LogLevel } from '../log-level.js';
import { LeastLevel } from './least-level.js';

const LETTERS: Readonly<Record<LogLevel, string>> = { debug: 'I', info: 'I', warn: 'W', error: 'E' };

/**
 * Lines in klog's text form: `I1130 17:04:05.000006    4711 kube-scheduler] "ready" node="a"`. Where upstream names a source file the
 * component is named. A line that cannot be written is lost, not the component that wrote it.
 */
export function textLogger(level: LogLevel, name: string, write: (line: string) => void): Logger {
  return linesOf(new LeastLevel(level), name, write, {});
}

function linesOf(least: LeastLevel, name: string, write: (line: string) => void, fields: LogFields): Logger {
  const at = (of: LogLevel) => (message: string, more?: LogFields) => {
    if (!least.allows(of)) return;
    try {
      write(textLine(of, name, message, { ...fields, ...more }, new Date()));
    } catch {
      // The disk is full or nobody reads.
    }
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => linesOf(least, name, write, { ...fields, ...more }),
    setVerbosity: (verbosity) => least.setVerbosity(verbosity),
  };
}

/** One line, with its end. */
export function textLine(level: LogLevel, name: string, message: string, fields: LogFields, at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}000`;
  const head = `${LETTERS[level]}${two(at.getMonth() + 1)}${two(at.getDate())} ${time} ${String(process.pid).padStart(7)} ${name}]`;
  const pairs = Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [` ${key}=${textOf(value)}`]));
  return `${head} ${JSON.stringify(message)}${pairs.join('')}\n`;
}

function textOf(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? '"<unprintable>"');
}
