import type { ContainerScript, PartialScript } from './container-script.js';
import { boolean, bytes, duration, integer, list, mapOf, milliCpu, object, oneOf, type Parse, ScriptError, string } from './parse.js';

const exitCode = integer(0, 255);

const startFields = object({ after: duration, error: string });
const exitFields = object({ after: duration, code: exitCode, reason: string, times: integer(1, 1_000_000) });
const stopFields = object({ after: duration, code: exitCode });
const logFields = object({ line: string, stream: oneOf('stdout', 'stderr'), after: duration, every: duration });
const usageFields = object({ after: duration, cpu: milliCpu, memory: bytes });
const execFields = object({ command: string, stdout: string, stderr: string, code: exitCode, after: duration, echo: boolean, error: string });

const log: Parse<ContainerScript['logs'][number]> = (value, path) => {
  const { line, stream = 'stdout', after = 0, every } = typeof value === 'string' ? { line: value } : logFields(value, path);
  if (line === undefined) throw new ScriptError(`${path}.line`, 'is required');
  if (every === 0) throw new ScriptError(`${path}.every`, 'must be more than 0');
  return { line, stream, afterMs: after, ...(every === undefined ? {} : { everyMs: every }) };
};

const usage: Parse<ContainerScript['usage']> = (value, path) =>
  [...list(usageFields)(value, path)]
    .map(({ after = 0, cpu = 1, memory = 1024 * 1024 }) => ({ afterMs: after, milliCpu: cpu, memoryBytes: memory }))
    .sort((a, b) => a.afterMs - b.afterMs);

const exec: Parse<ContainerScript['exec'][number]> = (value, path) => {
  const { command = '*', stdout = '', stderr = '', code = 0, after = 0, echo = false, error } = execFields(value, path);
  return { command, stdout, stderr, code, afterMs: after, echo, ...(error === undefined ? {} : { error }) };
};

const step = (value: unknown, path: string): ContainerScript['start'] => {
  const { after = 0, error } = startFields(value, path);
  return { afterMs: after, ...(error === undefined ? {} : { error }) };
};

const fields = {
  start: step,
  serve: step,
  exit: (value: unknown, path: string): NonNullable<ContainerScript['exit']> => {
    const { after = 0, code = 0, reason, times } = exitFields(value, path);
    return { afterMs: after, code, ...(reason === undefined ? {} : { reason }), ...(times === undefined ? {} : { times }) };
  },
  stop: (value: unknown, path: string): ContainerScript['stop'] => {
    const { after = 0, code = 143 } = stopFields(value, path);
    return { afterMs: after, code };
  },
  logs: list(log),
  usage,
  exec: list(exec),
  ports: mapOf(/^\d+$/, string),
};

/** One container's script as it is written in an annotation or a configuration. Throws `ScriptError`. */
export const containerScript: Parse<PartialScript> = object(fields);

export interface ContainerRule {
  /** Globs; all that are given must match. */
  readonly image?: string;
  readonly container?: string;
  readonly pod?: string;
  readonly namespace?: string;
  /** Over command and arguments joined by spaces. */
  readonly command?: string;
  readonly script: PartialScript;
}

/** A script and which containers it is for. */
export const containerRule: Parse<ContainerRule> = (value, path) => {
  const { image, container, pod, namespace, command, ...script } = object({
    image: string,
    container: string,
    pod: string,
    namespace: string,
    command: string,
    ...fields,
  })(value, path);
  return {
    ...(image === undefined ? {} : { image }),
    ...(container === undefined ? {} : { container }),
    ...(pod === undefined ? {} : { pod }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(command === undefined ? {} : { command }),
    script,
  };
};

export interface ImageRule {
  /** A glob over the reference. */
  readonly name: string;
  readonly pullMs: number;
  readonly error?: string;
  readonly sizeBytes: number;
  /** The user of the image's configuration. */
  readonly user: string;
  /** Images of the same content are one image of several names; absent: each repository and tag is its own. */
  readonly content?: string;
}

export const imageRule: Parse<ImageRule> = (value, path) => {
  const {
    name,
    pull = 0,
    error,
    size = 10 * 1024 * 1024,
    user = '',
    content,
  } = object({ name: string, pull: duration, error: string, size: bytes, user: string, content: string })(value, path);
  if (name === undefined) throw new ScriptError(`${path}.name`, 'is required');
  return { name, pullMs: pull, sizeBytes: size, user, ...(error === undefined ? {} : { error }), ...(content === undefined ? {} : { content }) };
};

/** What a sandbox or a pull does: how long it takes, or why it fails. */
export const stepScript: Parse<{ readonly after?: number; readonly error?: string }> = startFields;
