import type { Container, Probe } from '@coxswain/api';
import { isRpcError, type RuntimeServiceClient } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import { runtimeErrorText } from '../runtime-errors.js';
import type { ProbeAnswer } from './http-probe.js';
import { resolvePort } from './ports.js';
import { type PodNetwork, realPodNetwork } from './pod-network.js';

export interface ProbeTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIP: string | undefined;
}

/** Makes one check. Never rejects: what went wrong on our side is `unknown`, which counts for nothing. */
export type ProbeRunner = (probe: Probe, target: ProbeTarget) => Promise<ProbeAnswer>;

export function probeRunner(runtime: RuntimeServiceClient, clock: Clock, network: PodNetwork = realPodNetwork(clock)): ProbeRunner {
  return async (probe, target) => {
    try {
      return await run(probe, target, runtime, network);
    } catch (error) {
      return { outcome: 'unknown', message: runtimeErrorText(error) };
    }
  };
}

async function run(probe: Probe, { container, containerId, podIP }: ProbeTarget, runtime: RuntimeServiceClient, network: PodNetwork): Promise<ProbeAnswer> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const address = (host: string | undefined) => {
    const found = host || podIP;
    if (!found) throw new Error('the pod has no IP address yet');
    return found;
  };
  if (probe.exec) {
    const cmd = probe.exec.command ?? [];
    try {
      const result = await runtime.execSync({ containerId, cmd, timeout: BigInt(probe.timeoutSeconds ?? 1) }, { timeoutMs: timeoutMs + 5000 });
      const output = Buffer.concat([result.stdout, result.stderr])
        .subarray(0, 10 * 1024)
        .toString('utf8');
      return { outcome: result.exitCode === 0 ? 'success' : 'failure', message: output };
    } catch (error) {
      if (isRpcError(error, 'deadlineExceeded'))
        return { outcome: 'failure', message: `command timed out: "${cmd.join(' ')}" timed out after ${timeoutMs / 1000}s` };
      throw error;
    }
  }
  if (probe.httpGet)
    return network.http({
      ...probe.httpGet,
      host: address(probe.httpGet.host),
      port: resolvePort(probe.httpGet.port, container),
      userAgent: 'kube-probe/1.36',
      timeoutMs,
    });
  if (probe.tcpSocket) return network.tcp(address(probe.tcpSocket.host), resolvePort(probe.tcpSocket.port, container), timeoutMs);
  if (probe.grpc) return network.grpc(address(undefined), probe.grpc.port, probe.grpc.service ?? '', timeoutMs);
  throw new Error(`missing probe handler for ${container.name}`);
}
