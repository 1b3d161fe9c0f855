import type { Container, LifecycleHandler } from '@coxswain/api';
import type { RuntimeServiceClient } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import { type HttpProbeOptions, httpUrl } from '../probes/http-probe.js';
import type { PodNetwork } from '../probes/pod-network.js';
import { resolvePort } from '../probes/ports.js';

export interface HookInput {
  readonly container: Container;
  readonly containerId: string;
  readonly podIP: string | undefined;
  /** Milliseconds it may take; absent: as long as it wants. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** Told that a request over TLS was answered in plain HTTP, and then made so. */
  readonly fellBack?: (url: URL) => void;
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
      const request: HttpProbeOptions = {
        ...handler.httpGet,
        host,
        port: resolvePort(handler.httpGet.port, container),
        userAgent: 'kube-lifecycle/1.36',
        timeoutMs: timeoutMs ?? 30_000,
        anyStatus: true,
      };
      const result = await this.network.http(request);
      if (result.outcome === 'success') return;
      if (!result.plainHttp) throw new Error(result.message);
      // Hooks were sent in plain HTTP whatever their scheme, until v1.23: what relied on it goes on working.
      const plain = { ...request, scheme: 'HTTP', httpHeaders: request.httpHeaders?.filter(({ name }) => name.toLowerCase() !== 'authorization') };
      const again = await this.network.http(plain);
      if (again.outcome !== 'success') throw new Error(result.message);
      input.fellBack?.(httpUrl(plain));
      return;
    }
    if (handler.sleep) {
      await this.clock.sleep(Math.min(handler.sleep.seconds * 1000, timeoutMs ?? Number.POSITIVE_INFINITY), signal);
      return;
    }
    // tcpSocket handlers are kept for compatibility and do nothing, as upstream's.
  }
}
