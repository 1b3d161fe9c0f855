import type { ServerHttp2Session } from 'node:http2';
import type { Clock } from '@coxswain/sdk';

/** Upstream's. */
const IDLE_MS = 90_000;
const ANSWER_MS = 15_000;

/**
 * Ends an HTTP/2 connection that nothing is asked through for a while. Also the only end of one whose client sent something so wrong that
 * nghttp2 stopped reading from it: Node never learns that its client has gone, and anybody could make us run out of files.
 */
export function endWhenIdle(session: ServerHttp2Session, clock: Pick<Clock, 'setTimeout'>, idleMs = IDLE_MS, answerMs = ANSWER_MS): void {
  let open = 0;
  session.on('stream', (stream) => {
    open++;
    stream.once('close', () => open--);
  });
  session.setTimeout(idleMs, () => {
    if (session.destroyed) return;
    const cancel = clock.setTimeout(() => session.destroy(), answerMs);
    session.once('close', cancel);
    // A client that asks at this very moment is told that it has to connect anew.
    if (open === 0) return session.close();
    const stays = () => {
      cancel();
      session.off('close', cancel);
    };
    // Watches may have nothing to tell for long.
    session.ping((error) => (error ? session.destroy() : stays()));
  });
}
