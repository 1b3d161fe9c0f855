import { formatDuration } from '@coxswain/apimachinery';
import type { KubeletSettings } from './kubelet-settings.js';

/** The fields of a KubeletConfiguration that are the program's, not the kubelet's, as they hold: for /configz. */
export function programConfiguration(s: KubeletSettings): Readonly<Record<string, unknown>> {
  return {
    containerRuntimeEndpoint: s.containerRuntimeEndpoint ?? 'unix:///run/containerd/containerd.sock',
    ...(s.imageServiceEndpoint ? { imageServiceEndpoint: s.imageServiceEndpoint } : {}),
    runtimeRequestTimeout: formatDuration(s.runtimeRequestTimeoutMs ?? 120_000),
    ...(s.tlsCertFile ? { tlsCertFile: s.tlsCertFile } : {}),
    ...(s.tlsPrivateKeyFile ? { tlsPrivateKeyFile: s.tlsPrivateKeyFile } : {}),
    rotateCertificates: s.rotateCertificates ?? false,
    serverTLSBootstrap: s.serverTLSBootstrap ?? false,
    kubeAPIQPS: s.kubeAPIQPS ?? 50,
    kubeAPIBurst: s.kubeAPIBurst ?? 100,
    maxOpenFiles: s.maxOpenFiles ?? 1_000_000,
    oomScoreAdj: s.oomScoreAdj ?? -999,
    failSwapOn: s.failSwapOn ?? true,
    failCgroupV1: s.failCgroupV1 ?? false,
    protectKernelDefaults: s.protectKernelDefaults ?? false,
    logging: { format: s.logFormat ?? 'json', verbosity: s.verbosity ?? 0 },
  };
}
