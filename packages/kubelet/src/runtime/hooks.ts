import type { Container, LifecycleHandler } from '@coxswain/api';
import type { RuntimeServiceClient } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import type { PodNetwork } from '../probes/pod-network.js';
import { resolvePort } from '../probes/ports.js';

export interface HookInput {
  readonly container: Container;
  readonly containerId: string;
  readonly podIP: string | undefined;
  /** Milliseconds it may take; absent: as long as it wants. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** Runs lifecycle handlers. Rejects with why a handler failed. */
export class HookRunner {
  constructor(
    private readonly runtime: RuntimeServiceClient,
    private readonly clock: Clock,
    private readonly network: PodNetwork,
  ) {}

  async run(handler: LifecycleHandler, input: HookInput): Promise<void> {
    const { container, containerId, timeoutMs, signal } = input;
    if (handler.exec) {
      const command = handler.exec.command ?? [];
      const seconds = timeoutMs === undefined ? 0 : Math.max(1, Math.ceil(timeoutMs / 1000));
      const result = await this.runtime.execSync(
        { containerId, cmd: command, timeout: BigInt(seconds) },
        { signal, timeoutMs: timeoutMs === undefined ? 0 : timeoutMs + 2000 },
      );
      if (result.exitCode !== 0)
        throw new Error(
          `command '${command.join(' ')}' exited with ${result.exitCode}: ${Buffer.concat([result.stderr, result.stdout]).toString('utf8').slice(0, 1024)}`,
        );
      return;
    }
    if (handler.httpGet) {
      const host = handler.httpGet.host || input.podIP;
      if (!host) throw new Error('no address to send the request to: the pod has no IP');
      const result = await this.network.http({
        ...handler.httpGet,
        host,
        port: resolvePort(handler.httpGet.port, container),
        userAgent: 'kube-lifecycle/1.36',
        timeoutMs: timeoutMs ?? 30_000,
        anyStatus: true,
      });
      if (result.outcome !== 'success') throw new Error(result.message);
      return;
    }
    if (handler.sleep) {
      await this.clock.sleep(Math.min(handler.sleep.seconds * 1000, timeoutMs ?? Number.POSITIVE_INFINITY), signal);
      return;
    }
    // tcpSocket handlers are kept for compatibility and do nothing, as upstream's.
  }
}
