import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { definitions } from '@coxswain/api';
import type { AdmissionPlugin, ApiRouter, Authenticator, Authorizer, Clock, Logger, Random, StateStore } from '@coxswain/sdk';
import { ApiServer } from './api-server.js';
import type { ApiServerOptions } from './api-server-options.js';
import { buildAuth } from './auth/config/build-auth.js';
import { parseAuditPolicy } from './audit/audit-policy.js';
import type { AuditPolicy } from './audit/audit-policy.js';
import { parseTokenFile } from './auth/token-file-authenticator.js';
import { encryptingStore } from './encryption/encrypting-store.js';
import { parseEncryptionConfig } from './encryption/encryption-config.js';
import type { ApiServerConfig } from './options.js';
import { parseRoutes } from './routing/parse-routes.js';
import { RuleRouter } from './routing/rule-router.js';

/** What cannot come from flags. */
export interface ApiServerDependencies {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authenticators?: readonly Authenticator[];
  readonly authorizers?: readonly Authorizer[];
  readonly admission?: readonly AdmissionPlugin[];
  readonly routers?: readonly ApiRouter[];
}

/** An API server from checked flags: reads the files they name. Rejects naming the flag whose file cannot be read. */
export async function createApiServer(config: ApiServerConfig, dependencies: ApiServerDependencies): Promise<ApiServer> {
  const read = async (flag: string, path: string): Promise<string> => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw new Error(`--${flag}: cannot read ${path}: ${(error as Error).message}`, { cause: error });
    }
  };
  const optional = async (flag: string, path: string | undefined) => (path ? read(flag, path) : undefined);
  const [cert, key, clientCA, tokens, signing, kubeletCert, kubeletKey, proxyCert, proxyKey, kubeletCA, proxyCA, ...verifying] = await Promise.all([
    read('tls-cert-file', config.tlsCertFile),
    read('tls-private-key-file', config.tlsPrivateKeyFile),
    optional('client-ca-file', config.clientCAFile),
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
    clock: dependencies.clock,
    random: dependencies.random,
    logger: dependencies.logger,
    apiAudiences: config.apiAudiences ?? config.serviceAccountIssuers,
    anonymous: config.anonymousAuth,
    anonymousGiven: config.anonymousGiven,
  });
  const audit = await auditOf(config, read, dependencies.logger);
  return new ApiServer({
    authorizers: [],
    admission: [],
    ...dependencies,
    authenticators: [...auth.authenticators, ...(dependencies.authenticators ?? [])],
    routers: [...(await routersOf(config, read, dependencies.random)), ...(dependencies.routers ?? [])],
    store: await encrypted(config, read, dependencies.store),
    host: config.bindAddress,
    port: config.securePort,
    advertiseAddress: config.advertiseAddress,
    tls: { cert, key, ...(clientCA ? { clientCA } : {}) },
    ...(requestHeader && proxyCA ? { frontProxy: { ...requestHeader, ca: proxyCA } } : {}),
    tokens: tokens ? parseTokenFile(tokens) : new Map(),
    anonymous: auth.anonymous,
    bootstrapTokens: config.auth.bootstrapTokens,
    serviceAccounts: {
      issuers: config.serviceAccountIssuers,
      ...(signing ? { signingKey: signing } : {}),
      verifyingKeys: verifying.filter((pem) => pem !== undefined),
      ...(config.apiAudiences ? { audiences: config.apiAudiences } : {}),
      ...(config.serviceAccountJwksUri ? { jwksUri: config.serviceAccountJwksUri } : {}),
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
    maxRequestsInFlight: config.maxRequestsInFlight,
    maxMutatingRequestsInFlight: config.maxMutatingRequestsInFlight,
    eventTtlSeconds: config.eventTtlSeconds,
    compactionIntervalMs: config.compactionIntervalMs,
    requestTimeoutMs: config.requestTimeoutMs,
    priorityAndFairness: config.priorityAndFairness,
    ...(audit ? { audit } : {}),
    async reloadTls() {
      const [cert, key, clientCA] = await Promise.all([
        read('tls-cert-file', config.tlsCertFile),
        read('tls-private-key-file', config.tlsPrivateKeyFile),
        optional('client-ca-file', config.clientCAFile),
      ]);
      return { cert, key, ...(clientCA ? { clientCA } : {}) };
    },
  });
}

async function routersOf(config: ApiServerConfig, read: (flag: string, path: string) => Promise<string>, random: Random): Promise<ApiRouter[]> {
  const path = config.apiRoutesConfig;
  if (!path) return [];
  const text = await read('api-routes-config', path);
  try {
    return [new RuleRouter(parseRoutes(text), random)];
  } catch (error) {
    throw new Error(`--api-routes-config: ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function encrypted(config: ApiServerConfig, read: (flag: string, path: string) => Promise<string>, store: StateStore): Promise<StateStore> {
  const path = config.encryptionProviderConfig;
  if (!path) return store;
  const text = await read('encryption-provider-config', path);
  try {
    return encryptingStore(store, parseEncryptionConfig(text, definitions));
  } catch (error) {
    throw new Error(`--encryption-provider-config: ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function auditOf(config: ApiServerConfig, read: (flag: string, path: string) => Promise<string>, logger: Logger): Promise<ApiServerOptions['audit']> {
  if (!config.auditPolicyFile || !config.auditLogPath) return undefined;
  const text = await read('audit-policy-file', config.auditPolicyFile);
  let policy: AuditPolicy;
  try {
    policy = parseAuditPolicy(text);
  } catch (error) {
    throw new Error(`--audit-policy-file: ${config.auditPolicyFile}: ${(error as Error).message}`, { cause: error });
  }
  if (config.auditLogPath === '-') return { policy, write: (line) => process.stdout.write(line) };
  const file = createWriteStream(config.auditLogPath, { flags: 'a', mode: 0o600 });
  file.on('error', (err) => logger.error('the audit log cannot be written', { err }));
  return { policy, write: (line) => file.write(line) };
}
