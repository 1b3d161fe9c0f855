import { get } from 'node:http';

/** Failed looks in a row until a target is given up; one good look takes it back. */
const FAILURES = 2;
const TIMEOUT_MS = 1000;

/** Whether targets answer, by their `/healthz`; each is asked once a round however many addresses lead to it. */
export class TargetHealth {
  readonly #failed = new Map<string, number>();
  #round = new Map<string, Promise<boolean>>();

  constructor(private readonly look: (host: string, port: number) => Promise<boolean> = answers) {}

  /** Forgets what it has not been asked about since the last one. */
  nextRound(): void {
    for (const key of this.#failed.keys()) if (!this.#round.has(key)) this.#failed.delete(key);
    this.#round = new Map();
  }

  isHealthy(host: string, port: number): Promise<boolean> {
    const key = `${host}:${port}`;
    const asked = this.#round.get(key) ?? this.#look(key, host, port);
    this.#round.set(key, asked);
    return asked;
  }

  async #look(key: string, host: string, port: number): Promise<boolean> {
    const ok = await this.look(host, port);
    // Nobody knows it yet: it must answer first.
    const failed = ok ? 0 : (this.#failed.get(key) ?? FAILURES) + 1;
    this.#failed.set(key, failed);
    return failed < FAILURES;
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/healthz', agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
      response.once('error', () => resolve(false));
    });
    request.once('error', () => resolve(false));
  });
}
