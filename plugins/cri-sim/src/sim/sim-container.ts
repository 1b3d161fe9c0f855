import { type ContainerEventType, CriError, ContainerEventType as EventType } from '@coxswain/cri';
import type { CancelTimer, Clock } from '@coxswain/sdk';
import type { ContainerScript, ExitScript, LogScript } from '../script/container-script.js';
import { LogFile } from './log-file.js';
import type { ContainerRecord } from './records.js';

const KILLED = 137;

export interface SimContainerDeps {
  readonly clock: Clock;
  /** The record changed; told before anybody can see it. */
  readonly changed: (container: SimContainer, event?: ContainerEventType) => void;
}

type OutputListener = (stream: 'stdout' | 'stderr', line: string) => void;

/** One simulated container: its record, and the timers of its script while it runs. */
export class SimContainer {
  readonly #timers = new Set<CancelTimer>();
  readonly #listeners = new Set<OutputListener>();
  readonly #log: LogFile;
  #ended: (() => void)[] = [];
  #starting = false;

  constructor(
    readonly record: ContainerRecord,
    readonly script: ContainerScript,
    private readonly deps: SimContainerDeps,
  ) {
    this.#log = new LogFile(record.logPath);
  }

  async start(signal: AbortSignal): Promise<void> {
    const { record, script } = this;
    if (record.state !== 'created' || this.#starting) throw new CriError('failedPrecondition', `container ${record.id} is not in created state`);
    this.#starting = true;
    try {
      if (script.start.afterMs > 0) await this.deps.clock.sleep(script.start.afterMs, signal);
    } finally {
      this.#starting = false;
    }
    // Removed or stopped while it was starting.
    if (record.state !== 'created') throw new CriError('unknown', `container ${record.id} was stopped while it started`);
    const now = this.deps.clock.now();
    if (script.start.error !== undefined) {
      Object.assign(record, { state: 'exited', startedAt: now, finishedAt: now, exitCode: 128, reason: 'StartError', message: script.start.error });
      this.deps.changed(this);
      throw new CriError('unknown', script.start.error);
    }
    record.state = 'running';
    record.startedAt = now;
    this.#log.create();
    this.deps.changed(this, EventType.CONTAINER_STARTED_EVENT);
    this.#play(0);
  }

  /** Go on after a restart of the server: what was due meanwhile has happened, but for lines of the log. */
  resume(): void {
    if (this.record.state === 'running') this.#play(this.deps.clock.now() - this.record.startedAt);
  }

  /** SIGTERM, and SIGKILL after the grace period. Resolves once it has ended. */
  async stop(graceMs: number): Promise<void> {
    const { record, script } = this;
    if (record.state === 'created') {
      record.state = 'exited';
      record.finishedAt = this.deps.clock.now();
      record.exitCode = KILLED;
      record.reason = 'Error';
      this.deps.changed(this, EventType.CONTAINER_STOPPED_EVENT);
    }
    if (record.state === 'exited') return;
    const ended = this.ended();
    if (graceMs <= 0) this.#end(KILLED);
    else {
      const { afterMs, code } = script.stop;
      const [delay, result] = afterMs < graceMs ? [afterMs, code] : [graceMs, KILLED];
      if (delay <= 0) this.#end(result);
      else this.#after(delay, () => this.#end(result));
    }
    await ended;
  }

  /** Resolves once the container does not run. */
  ended(): Promise<void> {
    if (this.record.state === 'exited') return Promise.resolve();
    return new Promise((resolve) => this.#ended.push(resolve));
  }

  /** Output from now on. Returns the undo. */
  listen(listener: OutputListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  reopenLog(): void {
    this.#log.create();
  }

  /** Why it does not answer on its ports; undefined: it does. What has ended, such as an init container, is not asked. */
  refusal(): string | undefined {
    const { record, script } = this;
    if (record.state === 'exited') return undefined;
    if (script.serve.error !== undefined) return script.serve.error;
    return record.state === 'running' && this.deps.clock.now() - record.startedAt >= script.serve.afterMs ? undefined : 'connection refused';
  }

  /** Cores × time since the start, and memory now. */
  usage(): { readonly cpuNanoseconds: number; readonly nanoCores: number; readonly memoryBytes: number } {
    const { record, script } = this;
    if (record.state !== 'running') return { cpuNanoseconds: 0, nanoCores: 0, memoryBytes: 0 };
    const age = this.deps.clock.now() - record.startedAt;
    // What starting took.
    let cpuNanoseconds = 1_000_000;
    let current = { afterMs: 0, milliCpu: 0, memoryBytes: 0 };
    for (const next of [...script.usage, undefined]) {
      const until = Math.min(age, next?.afterMs ?? age);
      cpuNanoseconds += Math.max(0, until - current.afterMs) * current.milliCpu * 1000;
      if (!next || next.afterMs > age) break;
      current = next;
    }
    return { cpuNanoseconds, nanoCores: current.milliCpu * 1_000_000, memoryBytes: current.memoryBytes };
  }

  /** Nothing goes on any more; the record stays as it is. */
  close(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  /** @param age How long it has run, in milliseconds. */
  #play(age: number): void {
    const { record, script } = this;
    const exit = script.exit;
    const exits = exit !== undefined && (exit.times === undefined || (record.config.metadata?.attempt ?? 0) < exit.times);
    // Before the end of a container that ends at once, what it says at once.
    for (const log of script.logs) this.#say(log, age, exits ? exit.afterMs : Number.POSITIVE_INFINITY);
    if (!exits) return;
    if (exit.afterMs <= age) this.#exit(exit);
    else this.#after(exit.afterMs - age, () => this.#exit(exit));
  }

  #exit(exit: ExitScript): void {
    this.#end(exit.code, exit.reason, this.record.startedAt + exit.afterMs);
  }

  #say(log: LogScript, age: number, until: number): void {
    const { afterMs, everyMs } = log;
    const missed = age > afterMs ? (everyMs === undefined ? undefined : afterMs + Math.ceil((age - afterMs) / everyMs) * everyMs) : afterMs;
    if (missed === undefined || missed > until) return;
    const say = (at: number) => {
      this.#write(log, at);
      if (everyMs === undefined || at + everyMs > until) return;
      this.#after(this.record.startedAt + at + everyMs - this.deps.clock.now(), () => say(at + everyMs));
    };
    if (missed <= age) say(missed);
    else this.#after(missed - age, () => say(missed));
  }

  #write({ stream, line }: LogScript, at: number): void {
    this.#log.write(stream, line, this.record.startedAt + at);
    for (const listener of this.#listeners) listener(stream, line);
  }

  #after(ms: number, run: () => void): void {
    const cancel = this.deps.clock.setTimeout(() => {
      this.#timers.delete(cancel);
      if (this.record.state === 'running') run();
    }, ms);
    this.#timers.add(cancel);
  }

  #end(code: number, reason = code === 0 ? 'Completed' : 'Error', at = this.deps.clock.now()): void {
    const { record } = this;
    this.close();
    Object.assign(record, { state: 'exited', finishedAt: at, exitCode: code, reason });
    this.deps.changed(this, EventType.CONTAINER_STOPPED_EVENT);
    for (const resolve of this.#ended.splice(0)) resolve();
  }
}
