import { authFlags, parseAuthFlags } from './auth/config/auth-flags.js';
import type { AuthFlags } from './auth/config/auth-flags.js';
import { admissionFlags, parseAdmissionFlags } from './flags/admission-flags.js';
import type { AdmissionConfig } from './flags/admission-flags.js';
import { auditFlags, parseAuditFlags } from './flags/audit-flags.js';
import type { AuditConfig } from './flags/audit-flags.js';
import { clusterFlags, parseClusterFlags } from './flags/cluster-flags.js';
import type { ClusterConfig } from './flags/cluster-flags.js';
import { FlagReader } from './flags/flag-reader.js';
import type { ApiServerFlags, FlagTable } from './flags/flag-reader.js';
import { parseRequestFlags, requestFlags } from './flags/request-flags.js';
import type { RequestConfig } from './flags/request-flags.js';
import { parseServiceAccountFlags, serviceAccountFlags } from './flags/service-account-flags.js';
import type { ServiceAccountConfig } from './flags/service-account-flags.js';
import { parseServingFlags, servingFlags } from './flags/serving-flags.js';
import type { ServingConfig } from './flags/serving-flags.js';
import { parseStorageFlags, storageFlags } from './flags/storage-flags.js';
import type { StorageConfig } from './flags/storage-flags.js';
import { parseTlsFlags, tlsFlags } from './flags/tls-flags.js';
import type { TlsConfig } from './flags/tls-flags.js';

export type { ApiServerFlags } from './flags/flag-reader.js';

/** Flags after checking: paths still have to be read. One interface of each topic, beside its flags in `flags/`. */
export interface ApiServerConfig
  extends ServingConfig,
    TlsConfig,
    ServiceAccountConfig,
    StorageConfig,
    RequestConfig,
    ClusterConfig,
    AdmissionConfig,
    AuditConfig {
  readonly auth: AuthFlags;
  readonly tokenAuthFile: string | undefined;
  readonly anonymousAuth: boolean;
  /** `--anonymous-auth` was given. */
  readonly anonymousGiven: boolean;
}

/** All problems at once. */
export class ApiServerFlagError extends Error {
  override readonly name = 'ApiServerFlagError';

  constructor(readonly problems: readonly string[]) {
    super(`the API server's flags are not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** Flags with their meaning, for `--help`. */
export const apiServerFlags: FlagTable = {
  ...servingFlags,
  ...tlsFlags,
  ...authFlags,
  'anonymous-auth': 'Serve requests without credentials as system:anonymous (default true)',
  'token-auth-file': 'Static tokens: token,user,uid,"group1,group2"',
  ...serviceAccountFlags,
  ...storageFlags,
  ...requestFlags,
  ...clusterFlags,
  ...admissionFlags,
  ...auditFlags,
};

/** Check flags; throws `ApiServerFlagError` with everything that is wrong. */
export function parseApiServerFlags(flags: ApiServerFlags): ApiServerConfig {
  const reader = new FlagReader(flags);
  for (const name of Object.keys(flags)) if (!(name in apiServerFlags)) reader.problem(name, 'unknown flag');
  const config: ApiServerConfig = {
    ...parseServingFlags(reader),
    ...parseTlsFlags(reader),
    ...parseServiceAccountFlags(reader),
    ...parseStorageFlags(reader),
    ...parseRequestFlags(reader),
    ...parseClusterFlags(reader),
    ...parseAdmissionFlags(reader),
    ...parseAuditFlags(reader),
    auth: parseAuthFlags(reader),
    tokenAuthFile: reader.text('token-auth-file'),
    anonymousAuth: reader.boolean('anonymous-auth', true),
    anonymousGiven: reader.text('anonymous-auth') !== undefined,
  };
  if (reader.problems.length > 0) throw new ApiServerFlagError(reader.problems);
  return config;
}
