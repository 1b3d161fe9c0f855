import type { Clock } from '@coxswain/sdk';
import { grpcProbe } from './grpc-probe.js';
import { type HttpProbeOptions, httpProbe, type ProbeAnswer } from './http-probe.js';
import { tcpProbe } from './tcp-probe.js';

/** How the kubelet reaches pods for probes and lifecycle hooks. Never rejects. */
export interface PodNetwork {
  http(options: HttpProbeOptions): Promise<ProbeAnswer>;
  tcp(host: string, port: number, timeoutMs: number): Promise<ProbeAnswer>;
  grpc(host: string, port: number, service: string, timeoutMs: number): Promise<ProbeAnswer>;
}

export const realPodNetwork = (clock: Clock): PodNetwork => ({
  http: httpProbe,
  tcp: tcpProbe,
  grpc: (host, port, service, timeoutMs) => grpcProbe(host, port, service, timeoutMs, clock),
});
