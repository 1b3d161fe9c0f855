import type { CallContext } from '@coxswain/cri';
import { CriError } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import type { ExecScript } from '../script/container-script.js';
import { globMatches } from '../script/glob.js';
import type { SimContainer } from '../sim/sim-container.js';

const silent: ExecScript = { command: '*', stdout: '', stderr: '', code: 0, afterMs: 0, echo: false };

export function checkCommand(command: readonly string[]): void {
  if (command.length === 0) throw new CriError('invalidArgument', 'no command was given');
}

/** The scripted answer to a command; it takes as long as the script says. Throws what the script has as its error. */
export async function execAnswer(container: SimContainer, command: readonly string[], clock: Clock, signal: AbortSignal): Promise<ExecScript> {
  checkCommand(command);
  const text = command.join(' ');
  const answer = container.script.exec.find((e) => globMatches(e.command, text)) ?? silent;
  if (answer.afterMs > 0) {
    const over = new AbortController();
    // A command ends with its container.
    void container.ended().then(() => over.abort(new CriError('unknown', 'the container ended')));
    await clock.sleep(answer.afterMs, AbortSignal.any([signal, over.signal]));
  }
  if (answer.error !== undefined) throw new CriError('unknown', answer.error);
  return answer;
}

/** ExecSync: the answer, unless it comes later than `timeoutMs` (0: never too late). */
export async function execSync(container: SimContainer, command: readonly string[], timeoutMs: number, clock: Clock, context: CallContext) {
  const late = new AbortController();
  const cancel =
    timeoutMs > 0 ? clock.setTimeout(() => late.abort(new CriError('deadlineExceeded', `timeout ${timeoutMs / 1000}s exceeded`)), timeoutMs) : () => {};
  try {
    const { stdout, stderr, code } = await execAnswer(container, command, clock, AbortSignal.any([context.signal, late.signal]));
    return { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr), exitCode: code };
  } finally {
    cancel();
  }
}
