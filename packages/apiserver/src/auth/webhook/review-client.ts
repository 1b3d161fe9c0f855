import { ApiError } from '@coxswain/apimachinery';
import { TransportError } from '@coxswain/client';
import type { HttpsTransport } from '@coxswain/client';
import type { Clock, Random } from '@coxswain/sdk';

export interface ReviewClientOptions {
  readonly transport: Pick<HttpsTransport, 'request'>;
  /** Behind the server's own path; '' for a webhook. */
  readonly path: string;
  readonly userAgent: string;
  /** Of one attempt. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Attempts, the first wait and its growth: as upstream's webhooks. */
const STEPS = 5;
const FIRST_MS = 500;
const FACTOR = 1.5;

/** Sends reviews and gives back what came: TokenReviews and SubjectAccessReviews, to a webhook or to an API server. */
export class ReviewClient {
  constructor(readonly options: ReviewClientOptions) {}

  /** Rejects with what the last attempt failed with. Tries again where that may help: no answer, 429, 5xx. */
  async post<Review>(review: Review, signal?: AbortSignal): Promise<Review> {
    const { clock, random } = this.options;
    let wait = FIRST_MS;
    for (let step = 1; ; step++) {
      try {
        return await this.#once(review, signal);
      } catch (error) {
        if (step >= STEPS || signal?.aborted || !mayHelp(error)) throw error;
      }
      await clock.sleep(wait * (1 + 0.2 * random.next()), signal);
      wait *= FACTOR;
    }
  }

  async #once<Review>(review: Review, signal: AbortSignal | undefined): Promise<Review> {
    const { transport, path, userAgent, timeoutMs, clock } = this.options;
    const limit = new AbortController();
    const cancel = clock.setTimeout(() => limit.abort(new TransportError('context deadline exceeded', true)), timeoutMs);
    try {
      const answer = await transport.request({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': userAgent },
        body: JSON.stringify(review),
        signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
      });
      const text = Buffer.from(answer.body).toString();
      if (answer.status < 200 || answer.status > 299) throw new ReviewError(answer.status, text.trim().slice(0, 500));
      return parsed<Review>(text);
    } finally {
      cancel();
    }
  }
}

/** The other side answered, but not with a review. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError';

  constructor(
    readonly status: number,
    text: string,
  ) {
    super(
      text === '' ? `the server responded with the status code ${status} but did not return more information` : `the server responded with ${status}: ${text}`,
    );
  }
}

function parsed<Review>(text: string): Review {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && typeof (value as { status?: unknown }).status === 'object') return value as Review;
  } catch {
    // Said below.
  }
  throw new ReviewError(200, 'the answer is not a review with a status');
}

function mayHelp(error: unknown): boolean {
  if (error instanceof ReviewError) return error.status === 429 || error.status >= 500;
  return error instanceof TransportError || (error instanceof ApiError && error.code >= 500);
}
