import type { Clock } from '@coxswain/sdk';
import type { HttpsTransport } from '@coxswain/client';
import { randomBytes, timingSafeEqual } from 'node:crypto';

export interface SessionUser {
  readonly username: string;
  readonly groups: readonly string[];
}

export interface Session {
  readonly id: string;
  /** What requests that change something must show, besides the cookie. */
  readonly csrf: string;
  readonly user: SessionUser;
  /** Reaches the API server as the user. */
  readonly transport: HttpsTransport;
  readonly endsAt: number;
  /** Aborts when the session ends; watches and terminals end with it. */
  readonly ended: AbortSignal;
  usedAt: number;
}

const IDLE_MS = 60 * 60_000;
const SWEEP_MS = 60_000;
/** More than any team has open; the longest unused makes room. */
const MAX_SESSIONS = 256;

/** Who is signed in. In memory only: credentials are never written, and end with the process. */
export class SessionStore {
  readonly #sessions = new Map<string, { readonly session: Session; readonly end: AbortController }>();
  readonly #clock: Clock;
  readonly #lifeMs: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, sessionHours: number) {
    this.#clock = clock;
    this.#lifeMs = sessionHours * 3_600_000;
  }

  create(user: SessionUser, transport: HttpsTransport): Session {
    if (this.#sessions.size >= MAX_SESSIONS) {
      const oldest = [...this.#sessions.values()].reduce((a, b) => (a.session.usedAt <= b.session.usedAt ? a : b));
      this.remove(oldest.session.id);
    }
    const end = new AbortController();
    const now = this.#clock.now();
    // Unguessable, so from the system's generator and not from the injected one.
    const secret = () => randomBytes(32).toString('base64url');
    const session: Session = { id: secret(), csrf: secret(), user, transport, endsAt: now + this.#lifeMs, ended: end.signal, usedAt: now };
    this.#sessions.set(session.id, { session, end });
    if (!this.#cancel) this.#sweep();
    return session;
  }

  /** The session, when it is there and has not run out. */
  use(id: string): Session | undefined {
    const session = this.#sessions.get(id)?.session;
    if (!session) return undefined;
    const now = this.#clock.now();
    if (this.#over(session, now)) {
      this.remove(id);
      return undefined;
    }
    session.usedAt = now;
    return session;
  }

  remove(id: string): void {
    const found = this.#sessions.get(id);
    if (!found) return;
    this.#sessions.delete(id);
    found.end.abort(new Error('the session has ended'));
    void found.session.transport.close();
  }

  close(): void {
    this.#cancel?.();
    for (const id of [...this.#sessions.keys()]) this.remove(id);
  }

  #over(session: Session, now: number): boolean {
    return now >= session.endsAt || now - session.usedAt >= IDLE_MS;
  }

  #sweep(): void {
    this.#cancel = this.#clock.setTimeout(() => {
      this.#cancel = undefined;
      const now = this.#clock.now();
      for (const { session } of this.#sessions.values()) if (this.#over(session, now)) this.remove(session.id);
      if (this.#sessions.size > 0) this.#sweep();
    }, SWEEP_MS);
  }
}

export function sameSecret(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
