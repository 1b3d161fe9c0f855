import { CriError, type RpcCodeName } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import { EngineError } from '../engine/engine-error.js';
import type { ProgressLine } from '../engine/engine-types.js';

/** A pull that tells nothing for so long has got stuck: upstream's `--image-pull-progress-deadline`. */
const STALLED_MS = 60_000;

/** Pull, and wait until it is done. What registries and the engine say went wrong is told with the code that fits. */
export async function pullProgress(
  image: string,
  pull: (signal: AbortSignal) => Promise<AsyncIterable<ProgressLine>>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const stalled = new AbortController();
  let cancel = () => {};
  const alive = () => {
    cancel();
    cancel = clock.setTimeout(
      () => stalled.abort(new CriError('deadlineExceeded', `pulling ${image} made no progress for ${STALLED_MS / 1000} s`)),
      STALLED_MS,
    );
  };
  alive();
  try {
    for await (const line of await pull(AbortSignal.any([signal, stalled.signal]))) {
      alive();
      const error = line.errorDetail?.message ?? line.error;
      if (error !== undefined) throw pullError(image, error);
    }
  } catch (error) {
    if (stalled.signal.aborted) throw stalled.signal.reason;
    throw error instanceof EngineError && error.status !== undefined ? pullError(image, error.message) : error;
  } finally {
    cancel();
  }
}

/** Pure. */
export function pullError(image: string, message: string): CriError {
  const code = codeOf(message);
  // The words that people, and the kubelet's back-off messages, look for.
  const said = code === 'notFound' && !/not found/i.test(message) ? `not found: ${message}` : message;
  return new CriError(code, `failed to pull image ${JSON.stringify(image)}: ${said}`);
}

function codeOf(message: string): RpcCodeName {
  if (/manifest unknown|not found|name unknown|repository does not exist/i.test(message)) return 'notFound';
  if (/unauthorized|denied|authentication required|no basic auth/i.test(message)) return 'permissionDenied';
  if (/invalid reference/i.test(message)) return 'invalidArgument';
  if (/connection refused|no such host|i\/o timeout|TLS handshake|deadline exceeded|connection reset/i.test(message)) return 'unavailable';
  return 'unknown';
}
