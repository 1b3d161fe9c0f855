import { writeSync } from 'node:fs';
import type { LogFields, Logger } from '@coxswain/sdk';
import { destination, type Logger as PinoLogger, pino } from 'pino';
import { logFormat } from '../log-format.js';
import type { LogLevel } from '../log-level.js';
import { LeastLevel } from './least-level.js';
import { textLogger } from './text-logger.js';

/**
 * Structured lines, written synchronously so that the last words before a crash are kept: JSON on standard output, or as `setLogFormat`
 * says upstream's text on standard error.
 */
export function createLogger(level: LogLevel, name: string): Logger {
  if (logFormat() === 'text') return textLogger(level, name, (line) => writeSync(2, line));
  const out = destination({ fd: 1, sync: true });
  // On a full disk lines are lost, not the component that wrote them.
  out.on('error', () => {});
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const formatters = { level: (label: string) => ({ level: label }) };
  // Which lines are written is for `least` to say, which may change.
  return wrap(pino({ level: 'debug', base: { component: name }, timestamp: pino.stdTimeFunctions.isoTime, formatters }, out), new LeastLevel(level));
}

function wrap(logger: PinoLogger, least: LeastLevel): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (least.allows(level)) logger[level](fields ?? {}, message);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(logger.child(fields), least),
    setVerbosity: (verbosity) => least.setVerbosity(verbosity),
  };
}
