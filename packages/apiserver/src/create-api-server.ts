import { readFile } from 'node:fs/promises';
import { definitions } from '@coxswain/api';
import type { AdmissionPlugin, ApiRouter, Authenticator, Authorizer, Clock, Logger, Random, StateStore } from '@coxswain/sdk';
import { readAdmissionConfig } from './admission/admission-config.js';
import { ApiServer } from './api-server.js';
import type { ApiServerOptions } from './api-server-options.js';
import { buildAuth } from './auth/config/build-auth.js';
import { parseAuditPolicy } from './audit/audit-policy.js';
import { openAudit } from './audit/open-audit.js';
import type { AuditEnv } from './audit/open-audit.js';
import { selfSignedFiles } from './auth/self-signed.js';
import { parseTokenFile } from './auth/token-file-authenticator.js';
import { encryptingStore } from './encryption/encrypting-store.js';
import { parseEncryptionConfig } from './encryption/encryption-config.js';
import { checkEgressSelection } from './flags/egress-selection.js';
import type { ServingCertificates } from './http/serving-certificates.js';
import type { ApiServerConfig } from './options.js';
import { enabledDefinitions } from './registry/enabled-definitions.js';
import { parseRoutes } from './routing/parse-routes.js';
import { RuleRouter } from './routing/rule-router.js';
import { IpRange } from './services/ip-range.js';
import { prefixedStore } from './storage/prefixed-store.js';
import { parseTracingConfig } from './tracing/tracing-config.js';
import { hostAddress } from './util/host-address.js';

/** What cannot come from flags. */
export interface ApiServerDependencies {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What the command line came to, for `/flagz`. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly authenticators?: readonly Authenticator[];
  readonly authorizers?: readonly Authorizer[];
  readonly admission?: readonly AdmissionPlugin[];
  readonly routers?: readonly ApiRouter[];
}

type Read = (flag: string, path: string) => Promise<string>;

/** An API server from checked flags: reads the files they name. Rejects naming the flag whose file cannot be read. */
export async function createApiServer(config: ApiServerConfig, dependencies: ApiServerDependencies): Promise<ApiServer> {
  const { clock, random, logger } = dependencies;
  const read: Read = async (flag, path) => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw new Error(`--${flag}: cannot read ${path}: ${(error as Error).message}`, { cause: error });
    }
  };
  const optional = async (flag: string, path: string | undefined) => (path ? read(flag, path) : undefined);
  // Upstream looks for the interface of the default route, too.
  const advertiseAddress = config.advertiseAddress ?? hostAddress() ?? '127.0.0.1';
  const certificates = await certificateReader(config, advertiseAddress, read, clock);
  const [tls, tokens, signing, kubeletCert, kubeletKey, proxyCert, proxyKey, kubeletCA, proxyCA, ...verifying] = await Promise.all([
    certificates(),
    optional('token-auth-file', config.tokenAuthFile),
    optional('service-account-signing-key-file', config.serviceAccountSigningKeyFile),
    optional('kubelet-client-certificate', config.kubeletClientCertificate),
    optional('kubelet-client-key', config.kubeletClientKey),
    optional('proxy-client-cert-file', config.proxyClientCertFile),
    optional('proxy-client-key-file', config.proxyClientKeyFile),
    optional('kubelet-certificate-authority', config.kubeletCertificateAuthority),
    optional('requestheader-client-ca-file', config.requestHeader?.clientCAFile),
    ...config.serviceAccountKeyFiles.map((path) => read('service-account-key-file', path)),
  ]);
  const { requestHeader } = config;
  const auth = await buildAuth(config.auth, {
    read,
    clock,
    random,
    logger,
    apiAudiences: config.apiAudiences ?? config.serviceAccountIssuers,
    anonymous: config.anonymousAuth,
    anonymousGiven: config.anonymousGiven,
  });
  const audit = await auditOf(config, read, dependencies);
  await fromFile('egress-selector-config-file', config.egressSelectorConfigFile, read, checkEgressSelection);
  const tracing = await fromFile('tracing-config-file', config.tracingConfigFile, read, parseTracingConfig);
  const admissionFile = config.admissionControlConfigFile;
  const admissionConfig = await fromFile('admission-control-config-file', admissionFile, read, (text) => readAdmissionConfig(text, admissionFile ?? ''));
  if (config.enableAdmissionPlugins.includes('EventRateLimit') && !admissionConfig?.eventLimits)
    throw new Error('--enable-admission-plugins: EventRateLimit needs limits, in --admission-control-config-file');
  return new ApiServer({
    authorizers: [],
    admission: [],
    ...dependencies,
    authenticators: [...auth.authenticators, ...(dependencies.authenticators ?? [])],
    routers: [...(await routersOf(config, read, random)), ...(dependencies.routers ?? [])],
    store: prefixedStore(await encrypted(config, read, dependencies.store), config.etcdPrefix),
    serves: servedBy(config),
    host: config.bindAddress,
    port: config.securePort,
    advertiseAddress,
    ...(config.externalHostname ? { externalHostname: config.externalHostname } : {}),
    publishEndpoints: config.publishEndpoints,
    tls,
    tlsLimits: { minVersion: config.tlsMinVersion, ...(config.tlsCiphers ? { ciphers: config.tlsCiphers } : {}) },
    corsAllowedOrigins: config.corsAllowedOrigins,
    hstsDirectives: config.hstsDirectives,
    ...(config.http2MaxStreams ? { http2MaxStreams: config.http2MaxStreams } : {}),
    goawayChance: config.goawayChance,
    shutdownDelayMs: config.shutdownDelayMs,
    ...(requestHeader && proxyCA ? { frontProxy: { ...requestHeader, ca: proxyCA } } : {}),
    tokens: tokens ? parseTokenFile(tokens) : new Map(),
    anonymous: auth.anonymous,
    bootstrapTokens: config.auth.bootstrapTokens,
    serviceAccounts: {
      issuers: config.serviceAccountIssuers,
      ...(signing ? { signingKey: signing } : {}),
      verifyingKeys: verifying.filter((pem) => pem !== undefined).flatMap(keysOf),
      ...(config.apiAudiences ? { audiences: config.apiAudiences } : {}),
      ...(config.serviceAccountJwksUri ? { jwksUri: config.serviceAccountJwksUri } : {}),
      ...(config.serviceAccountMaxTokenSeconds ? { maxTokenSeconds: config.serviceAccountMaxTokenSeconds } : {}),
      extendTokens: config.serviceAccountExtendTokens,
    },
    authorizationModes: auth.authorizationModes,
    kubelet: {
      ...(kubeletCert ? { cert: kubeletCert } : {}),
      ...(kubeletKey ? { key: kubeletKey } : {}),
      ...(kubeletCA ? { ca: kubeletCA } : {}),
      addressTypes: config.kubeletPreferredAddressTypes,
    },
    ...(proxyCert && proxyKey ? { proxyClient: { cert: proxyCert, key: proxyKey } } : {}),
    serviceRanges: config.serviceClusterIPRanges,
    nodePorts: config.nodePorts,
    disabledAdmission: config.disableAdmissionPlugins,
    enabledAdmission: config.enableAdmissionPlugins,
    admissionSettings: { ...admissionConfig, tolerationSeconds: config.tolerationSeconds, allowPrivileged: config.allowPrivileged },
    maxRequestsInFlight: config.maxRequestsInFlight,
    maxMutatingRequestsInFlight: config.maxMutatingRequestsInFlight,
    eventTtlSeconds: config.eventTtlSeconds,
    compactionIntervalMs: config.compactionIntervalMs,
    requestTimeoutMs: config.requestTimeoutMs,
    profiling: config.profiling,
    ...(dependencies.flags ? { flags: dependencies.flags } : {}),
    minRequestTimeoutSeconds: config.minRequestTimeoutSeconds,
    readyCheckTimeoutMs: config.readyCheckTimeoutMs,
    priorityAndFairness: config.priorityAndFairness,
    ...(audit ? { audit } : {}),
    ...(tracing ? { tracing } : {}),
    reloadTls: certificates,
  });
}

/** Reads the server's certificates, now and whenever it is called. Without files of their own they are made in the folder for them, once. */
async function certificateReader(config: ApiServerConfig, advertiseAddress: string, read: Read, clock: Clock): Promise<() => Promise<ServingCertificates>> {
  const { tlsFiles, certDir, clientCAFile, sniCertificates, serviceClusterIPRanges } = config;
  const hosts = [config.externalHostname, advertiseAddress, new IpRange(serviceClusterIPRanges[0] as string).at(0)].filter((host) => host !== undefined);
  const files = tlsFiles ?? (await selfSigned(certDir, hosts, clock));
  return async () => {
    const [cert, key, clientCA, sni] = await Promise.all([
      read('tls-cert-file', files.cert),
      read('tls-private-key-file', files.key),
      clientCAFile ? read('client-ca-file', clientCAFile) : undefined,
      Promise.all(
        sniCertificates.map(async ({ names, certFile, keyFile }) => ({
          names,
          cert: await read('tls-sni-cert-key', certFile),
          key: await read('tls-sni-cert-key', keyFile),
        })),
      ),
    ]);
    return { cert, key, ...(clientCA ? { clientCA } : {}), ...(sni.length > 0 ? { sni } : {}) };
  };
}

async function selfSigned(folder: string, hosts: readonly string[], clock: Clock): Promise<{ readonly cert: string; readonly key: string }> {
  try {
    return await selfSignedFiles({ folder, hosts, now: clock.now() });
  } catch (error) {
    throw new Error(`--cert-dir: no certificate can be made in ${folder}: ${(error as Error).message}`, { cause: error });
  }
}

/** What a file of keys holds, one PEM block each. */
function keysOf(pem: string): string[] {
  return pem.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g)?.filter((block) => !block.includes('EC PARAMETERS')) ?? [pem];
}

function servedBy({ runtimeConfig }: ApiServerConfig): NonNullable<ApiServerOptions['serves']> {
  try {
    return enabledDefinitions(runtimeConfig, definitions);
  } catch (error) {
    throw new Error(`--runtime-config: ${(error as Error).message}`, { cause: error });
  }
}

/** What a flag's file says, when it is given. Rejects with the flag and the file in front of what is wrong. */
async function fromFile<T>(flag: string, path: string | undefined, read: Read, parse: (text: string) => T | Promise<T>): Promise<T | undefined> {
  if (!path) return undefined;
  const text = await read(flag, path);
  try {
    return await parse(text);
  } catch (error) {
    throw new Error(`--${flag}: ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function routersOf(config: ApiServerConfig, read: Read, random: Random): Promise<ApiRouter[]> {
  const router = await fromFile('api-routes-config', config.apiRoutesConfig, read, (text) => new RuleRouter(parseRoutes(text), random));
  return router ? [router] : [];
}

async function encrypted({ encryptionProviderConfig, etcdPrefix }: ApiServerConfig, read: Read, store: StateStore): Promise<StateStore> {
  const rules = await fromFile('encryption-provider-config', encryptionProviderConfig, read, (text) => parseEncryptionConfig(text, definitions));
  if (!rules) return store;
  // A value is bound to its whole key, which is the one in the store.
  return encryptingStore(
    store,
    rules.map((rule) => ({ ...rule, prefix: etcdPrefix + rule.prefix.slice('/registry'.length) })),
  );
}

async function auditOf(config: ApiServerConfig, read: Read, env: AuditEnv): Promise<ApiServerOptions['audit']> {
  const policy = await fromFile('audit-policy-file', config.auditPolicyFile, read, parseAuditPolicy);
  const { auditWebhook } = config;
  const open = (kubeconfig?: string) => openAudit(config, policy, kubeconfig, env);
  return auditWebhook ? fromFile('audit-webhook-config-file', auditWebhook.configFile, read, open) : open();
}
