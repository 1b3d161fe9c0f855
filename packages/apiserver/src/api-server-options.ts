import type { ResourceDefinition, SchemaLookup } from '@coxswain/api';
import type { AdmissionPlugin, ApiRouter, Authenticator, Authorizer, Clock, Logger, Random, StateStore, UserInfo } from '@coxswain/sdk';
import type { AuditPolicy } from './audit/audit-policy.js';
import type { FrontProxyOptions } from './auth/front-proxy-authenticator.js';
import type { InProcessTransport } from './in-process-transport.js';
import type { KubeletClient } from './proxy/kubelet-location.js';

/** What an API server is made of. `createApiServer` reads most of it from files named by flags. */
export interface ApiServerOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: every built-in resource. */
  readonly definitions?: readonly ResourceDefinition[];
  readonly lookupSchema?: SchemaLookup;
  /** Address to listen on. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Where pods and other nodes reach it: the endpoint of the `kubernetes` service. */
  readonly advertiseAddress: string;
  /** PEM. `clientCA` signs client certificates. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCA?: string };
  readonly frontProxy?: FrontProxyOptions;
  /** PEM; what servers of aggregated groups are shown. */
  readonly proxyClient?: { readonly cert: string; readonly key: string };
  /** Static bearer tokens (see `parseTokenFile`). */
  readonly tokens: ReadonlyMap<string, UserInfo>;
  /** Requests without credentials are `system:anonymous`, and what RBAC lets that do. */
  readonly anonymous: boolean | { readonly paths: readonly string[] };
  /** Secrets of type bootstrap.kubernetes.io/token in kube-system authenticate. Default false. */
  readonly bootstrapTokens?: boolean;
  readonly serviceAccounts: {
    /** The first is put into new tokens. */
    readonly issuers: readonly string[];
    /** PEM private key; absent: no tokens are issued. */
    readonly signingKey?: string;
    /** PEM keys tokens are verified with, besides the signing key. */
    readonly verifyingKeys: readonly string[];
    /** Default: the issuers. */
    readonly audiences?: readonly string[];
    /** Default: the JWKS path at the advertised address. */
    readonly jwksUri?: string;
  };
  /** In order; what is no mode of our own is an authorizer itself (a webhook). */
  readonly authorizationModes: readonly ('Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny' | Authorizer)[];
  readonly kubelet: KubeletClient;
  /** One CIDR per address family; the first is the primary. */
  readonly serviceRanges: readonly string[];
  readonly nodePorts: { readonly from: number; readonly to: number };
  /** Names of built-in admission plugins to leave out. */
  readonly disabledAdmission: readonly string[];
  readonly maxRequestsInFlight: number;
  readonly maxMutatingRequestsInFlight: number;
  /** Default 60000. */
  readonly requestTimeoutMs?: number;
  /** Default true: the two limits together are the seats shared out. */
  readonly priorityAndFairness?: boolean;
  readonly audit?: { readonly policy: AuditPolicy; readonly write: (line: string) => void };
  /** Asked now and then for serving certificates: new ones are used for new connections. */
  readonly reloadTls?: () => Promise<{ readonly cert: string; readonly key: string; readonly clientCA?: string }>;
  /** Makes what else the cluster needs, after the built-in policy and before `/readyz` says yes; the transport may do everything. */
  readonly seed?: (transport: InProcessTransport, signal: AbortSignal) => Promise<void>;
  readonly eventTtlSeconds: number;
  readonly compactionIntervalMs: number;
  /** From plugins, besides the built-in ones. */
  readonly authenticators: readonly Authenticator[];
  readonly authorizers: readonly Authorizer[];
  readonly admission: readonly AdmissionPlugin[];
  /** Send requests for resources elsewhere, before the server's own resources are looked at. */
  readonly routers?: readonly ApiRouter[];
}
