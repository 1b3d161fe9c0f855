import type { CommandOutcome } from './types.js';

/** The `Status` object that v4 and v5 put on the error channel. */
export function outcomeToStatus(outcome: CommandOutcome): string {
  if (outcome.type === 'exit' && outcome.code === 0) return JSON.stringify({ metadata: {}, status: 'Success' });
  if (outcome.type === 'exit') {
    return JSON.stringify({
      metadata: {},
      status: 'Failure',
      message: `command terminated with non-zero exit code: exit status ${outcome.code}`,
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(outcome.code) }] },
    });
  }
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${outcome.message}`,
    reason: 'InternalError',
    details: { causes: [{ message: outcome.message }] },
    code: 500,
  });
}

/** What v1 to v3 put there: nothing for success, else a sentence. */
export function outcomeToText(outcome: CommandOutcome): string {
  if (outcome.type === 'error') return outcome.message;
  return outcome.code === 0 ? '' : `command terminated with non-zero exit code: exit status ${outcome.code}`;
}

/** Reads either form. An empty error channel is success. */
export function statusToOutcome(text: string): CommandOutcome {
  if (text === '') return { type: 'exit', code: 0 };
  try {
    const status = JSON.parse(text) as { status?: string; message?: string; reason?: string; details?: { causes?: { reason?: string; message?: string }[] } };
    if (status.status === 'Success') return { type: 'exit', code: 0 };
    const cause = status.details?.causes?.find((c) => c.reason === 'ExitCode')?.message;
    if (status.reason === 'NonZeroExitCode' && cause !== undefined) return { type: 'exit', code: Number(cause) };
    return { type: 'error', message: status.message ?? text };
  } catch {
    const code = /exit (?:status|code) (\d+)/.exec(text)?.[1];
    return code === undefined ? { type: 'error', message: text } : { type: 'exit', code: Number(code) };
  }
}
