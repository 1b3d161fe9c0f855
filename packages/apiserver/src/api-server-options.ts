import type { ResourceDefinition, SchemaLookup } from '@coxswain/api';
import type { Transport } from '@coxswain/client';
import type { AdmissionPlugin, ApiRouter, Authenticator, Authorizer, Clock, Logger, Random, StateStore, UserInfo } from '@coxswain/sdk';
import type { AdmissionSettings } from './admission/admission-settings.js';
import type { AuditPolicy } from './audit/audit-policy.js';
import type { FrontProxyOptions } from './auth/front-proxy-authenticator.js';
import type { ServingCertificates, TlsLimits } from './http/serving-certificates.js';
import type { KubeletClient } from './proxy/kubelet-location.js';
import type { TracingConfig } from './tracing/tracing-config.js';

/** What an API server is made of. `createApiServer` reads most of it from files named by flags. */
export interface ApiServerOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: every built-in resource. */
  readonly definitions?: readonly ResourceDefinition[];
  /** Which of them clients see; the server goes by the objects of the others all the same. Default: all. */
  readonly serves?: (definition: ResourceDefinition) => boolean;
  readonly lookupSchema?: SchemaLookup;
  /** Address to listen on. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Where pods and other nodes reach it: the endpoint of the `kubernetes` service. */
  readonly advertiseAddress: string;
  /** What its Lease in kube-system is named after. Default: the machine's. */
  readonly hostname?: string;
  readonly tls: ServingCertificates;
  readonly tlsLimits?: TlsLimits;
  /** Host name of URLs that lead here. Default: the advertised address. */
  readonly externalHostname?: string;
  /** Whose pages may use the API from a browser. Default: nobody's. */
  readonly corsAllowedOrigins?: readonly RegExp[];
  /** Of the Strict-Transport-Security header; none: no header. */
  readonly hstsDirectives?: readonly string[];
  /** Of one HTTP/2 connection. Default 10000. */
  readonly http2MaxStreams?: number;
  /** Part of the requests after which an HTTP/2 connection is ended. Default 0. */
  readonly goawayChance?: number;
  /** How long `stop` goes on serving while `/readyz` fails. Default 0. */
  readonly shutdownDelayMs?: number;
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
    /** Default: the JWKS path at the external host name. */
    readonly jwksUri?: string;
    /** Longest life of a token that is asked for, in seconds. Default: the kind's own limit. */
    readonly maxTokenSeconds?: number;
    /** Tokens of pods live for a year, for clients that do not read them again. Default true. */
    readonly extendTokens?: boolean;
  };
  /** In order; what is no mode of our own is an authorizer itself (a webhook). */
  readonly authorizationModes: readonly ('Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny' | Authorizer)[];
  readonly kubelet: KubeletClient;
  /** One CIDR per address family; the first is the primary. */
  readonly serviceRanges: readonly string[];
  readonly nodePorts: { readonly from: number; readonly to: number };
  /** Names of built-in admission plugins to leave out. */
  readonly disabledAdmission: readonly string[];
  /** Names of built-in admission plugins to add that are not there by default. */
  readonly enabledAdmission?: readonly string[];
  readonly admissionSettings?: AdmissionSettings;
  readonly maxRequestsInFlight: number;
  readonly maxMutatingRequestsInFlight: number;
  /** Default 60000. */
  readonly requestTimeoutMs?: number;
  /** Serve profiles of this process below /debug/pprof/. Default false. */
  readonly profiling?: boolean;
  /** What the command line came to: `/flagz`. Absent: not served. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Watches end after this long, or up to twice as long. Default 1800. */
  readonly minRequestTimeoutSeconds?: number;
  /** How long `/readyz` waits for the store. Default 2000. */
  readonly readyCheckTimeoutMs?: number;
  /** Default true: the two limits together are the seats shared out. */
  readonly priorityAndFairness?: boolean;
  /** `close` is called when no more events come. */
  readonly audit?: { readonly policy: AuditPolicy; readonly write: (line: string) => void; readonly close?: () => Promise<void> };
  /** Where spans of requests go, and of which. Absent: none are made. */
  readonly tracing?: TracingConfig;
  /** Asked now and then for serving certificates: new ones are used for new connections. */
  readonly reloadTls?: () => Promise<ServingCertificates>;
  /** Makes what else the cluster needs, after the built-in policy and before `/readyz` says yes; the transport may do everything. */
  readonly seed?: (transport: Transport, signal: AbortSignal) => Promise<void>;
  readonly eventTtlSeconds: number;
  /** 0: old revisions are kept. */
  readonly compactionIntervalMs: number;
  /** Keep this server among the endpoints of the `kubernetes` Service. Default true. */
  readonly publishEndpoints?: boolean;
  /** From plugins, besides the built-in ones. */
  readonly authenticators: readonly Authenticator[];
  readonly authorizers: readonly Authorizer[];
  readonly admission: readonly AdmissionPlugin[];
  /** Send requests for resources elsewhere, before the server's own resources are looked at. */
  readonly routers?: readonly ApiRouter[];
}
