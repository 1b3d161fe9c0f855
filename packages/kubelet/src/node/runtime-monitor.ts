import type { RuntimeServiceClient } from '@coxswain/cri';
import type { Clock, Logger } from '@coxswain/sdk';
import type { RuntimeFacts } from './node-object.js';

export interface RuntimeMonitorDeps {
  readonly runtime: RuntimeServiceClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Readiness turned. */
  readonly changed: () => void;
}

const CALL_TIMEOUT_MS = 10_000;
/** Between looks at a runtime that is not ready: short at first, when everything is starting up. */
const EAGER_MS = 100;
const PATIENT_MS = 1000;
const EAGER_LOOKS = 300;

/** Asks the runtime how it is: often until it is ready, then now and then. */
export class RuntimeMonitor {
  readonly #deps: RuntimeMonitorDeps;
  readonly #periodMs: number;
  #facts: RuntimeFacts | undefined;
  #runtimeProblem: string | undefined = 'container runtime status check may not have completed yet';
  #networkProblem: string | undefined = 'container runtime status check may not have completed yet';

  constructor(deps: RuntimeMonitorDeps, periodMs: number) {
    this.#deps = deps;
    this.#periodMs = periodMs;
  }

  get facts(): RuntimeFacts | undefined {
    return this.#facts;
  }

  /** Why no pod network can be made; undefined: it can. */
  get networkProblem(): string | undefined {
    return this.#networkProblem;
  }

  /** What stands against readiness, as upstream words it. */
  problems(): string[] {
    return [
      ...(this.#runtimeProblem ? [this.#runtimeProblem] : []),
      ...(this.#networkProblem && !this.#runtimeProblem ? [`container runtime network not ready: ${this.#networkProblem}`] : []),
    ];
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    for (let looks = 0; !signal.aborted; ) {
      const troubled = this.problems().length > 0;
      looks = troubled ? looks + 1 : 0;
      await clock.sleep(troubled ? (looks < EAGER_LOOKS ? EAGER_MS : PATIENT_MS) : this.#periodMs, signal).catch(() => {});
      if (!signal.aborted) await this.check(signal);
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const { runtime, logger, changed } = this.#deps;
    const before = this.problems().join();
    try {
      if (!this.#facts) {
        const version = await runtime.version({}, { signal, timeoutMs: CALL_TIMEOUT_MS });
        this.#facts = { name: version.runtimeName, version: version.runtimeVersion, handlers: [], supplementalGroupsPolicy: false };
      }
      const answer = await runtime.status({}, { signal, timeoutMs: CALL_TIMEOUT_MS });
      this.#facts = {
        ...this.#facts,
        handlers: answer.runtimeHandlers.map((h) => ({
          name: h.name,
          recursiveReadOnlyMounts: h.features?.recursiveReadOnlyMounts ?? false,
          userNamespaces: h.features?.userNamespaces ?? false,
        })),
        supplementalGroupsPolicy: answer.features?.supplementalGroupsPolicy ?? false,
      };
      const problem = (type: string) => {
        const c = answer.status?.conditions.find((x) => x.type === type);
        if (c?.status) return undefined;
        return c ? `${type}=false reason:${c.reason} message:${c.message}` : `${type} is not reported`;
      };
      const runtimeReady = problem('RuntimeReady');
      this.#runtimeProblem = runtimeReady ? `container runtime not ready: ${runtimeReady}` : undefined;
      this.#networkProblem = problem('NetworkReady');
    } catch (error) {
      if (signal.aborted) return;
      if (!this.#runtimeProblem) logger.warn('the container runtime does not answer', { err: error });
      this.#runtimeProblem = `container runtime is down: ${(error as Error).message}`;
      // A new one may have come in its place, of another version.
      if (this.#facts) this.#facts = { ...this.#facts };
    }
    if (this.problems().join() !== before) changed();
  }
}
