import type { LogFormat } from '@coxswain/command';
import type { KubeletConfig } from '../index.js';

/** What of a configuration is not the kubelet's own business but its program's: files, sockets, the process and the machine. */
interface ProgramSettings {
  readonly containerRuntimeEndpoint?: string;
  readonly imageServiceEndpoint?: string;
  readonly runtimeRequestTimeoutMs?: number;
  readonly anonymousAuth?: boolean;
  readonly webhookAuth?: boolean;
  readonly clientCAFile?: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly rotateCertificates?: boolean;
  readonly serverTLSBootstrap?: boolean;
  /** Requests to the API server a second; 0 or less: no limit. */
  readonly kubeAPIQPS?: number;
  readonly kubeAPIBurst?: number;
  readonly maxOpenFiles?: number;
  readonly oomScoreAdj?: number;
  readonly kubeletCgroups?: string;
  readonly failSwapOn?: boolean;
  readonly failCgroupV1?: boolean;
  readonly protectKernelDefaults?: boolean;
  readonly podsPerCore?: number;
  /** CPUs, as many as the list names. */
  readonly reservedCPUs?: number;
  readonly serializeImagePulls?: boolean;
  readonly mergeDefaultEvictionSettings?: boolean;
  readonly verbosity?: number;
  readonly logFormat?: LogFormat;
}

/** A KubeletConfiguration, checked, in our units. What is absent has upstream's default. */
export type KubeletSettings = KubeletConfig & ProgramSettings;

/** One field of a KubeletConfiguration: what its value sets. Throws the reason a value is not taken. */
export type Field = (value: unknown) => KubeletSettings;
