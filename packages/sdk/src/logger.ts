import { token } from './token.js';

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging. Fields first-class, messages constant; errors go in `err`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
  /** From now on this logger, and all that are children of the same one, log as much as upstream's components with `--v` of this number. Absent: it is settled. */
  setVerbosity?(level: number): void;
}

export const Logger = token<Logger>('coxswain.logger.v1');

const nothing = () => {};

export const silentLogger: Logger = Object.freeze({
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
});
