import { createContext, Script } from 'node:vm';
import { QueryError } from './query-error.js';

/** Which of the texts match. */
export type TextMatcher = (texts: readonly string[]) => readonly boolean[];

const PLAIN = /^[^\\^$.*+?()[\]{}|]*$/;
/** For one batch. A pattern may take exponential time; the process has other things to do. */
const TIMEOUT_MS = 500;

const run = new Script('texts.map((text) => pattern.test(text))');

/** A regular expression, as `grep -E` would take it. Throws `QueryError` when it is none, and from the matcher when it takes too long. */
export function matcherOf(pattern: string | undefined): TextMatcher {
  if (pattern === undefined) return (texts) => texts.map(() => true);
  if (PLAIN.test(pattern)) return (texts) => texts.map((text) => text.includes(pattern));
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, 'u');
  } catch (error) {
    throw new QueryError(`grep "${pattern}": ${(error as Error).message}`);
  }
  return (texts) => {
    try {
      return run.runInContext(createContext({ texts, pattern: expression }), { timeout: TIMEOUT_MS }) as boolean[];
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new QueryError(`grep "${pattern}" takes too long: use a pattern without nested repetition`);
    }
  };
}
