import type { Pod } from '@coxswain/api';
import { success, type Clock, type SchedulingStatus, type WaitingPod } from '@coxswain/sdk';
import { podKey } from '../framework/pod-key.js';
import { unschedulable } from '../framework/status.js';

interface Waiting {
  readonly pod: Pod;
  readonly node: string;
  readonly plugins: Set<string>;
  readonly settle: (status: SchedulingStatus) => void;
}

/** Placed pods held back by permit plugins until all let go, one turns them away, or their time is up. */
export class WaitingPods {
  readonly #waiting = new Map<string, Waiting>();

  constructor(private readonly clock: Clock) {}

  list(): readonly WaitingPod[] {
    return [...this.#waiting.values()].map((w) => ({ pod: w.pod, node: w.node, waitsFor: [...w.plugins] }));
  }

  wait(pod: Pod, node: string, waits: ReadonlyMap<string, number>, signal: AbortSignal): Promise<SchedulingStatus> {
    const key = podKey(pod);
    return new Promise((resolve) => {
      const cancels: (() => void)[] = [];
      const settle = (status: SchedulingStatus) => {
        for (const cancel of cancels) cancel();
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(key);
        resolve(status);
      };
      const onAbort = () => settle({ code: 'error', error: signal.reason as Error });
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(key, { pod, node, plugins: new Set(waits.keys()), settle });
      for (const [plugin, ms] of waits)
        cancels.push(this.clock.setTimeout(() => settle(unschedulable(`rejected due to timeout after waiting ${ms}ms at plugin ${plugin}`)), ms));
    });
  }

  allow(plugin: string, pod: Pod): void {
    const w = this.#waiting.get(podKey(pod));
    if (!w) return;
    w.plugins.delete(plugin);
    if (w.plugins.size === 0) w.settle(success);
  }

  reject(plugin: string, pod: Pod, reason: string): void {
    this.#waiting.get(podKey(pod))?.settle(unschedulable(`rejected by plugin ${plugin}: ${reason}`));
  }
}
