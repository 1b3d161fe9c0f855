import type { FlagReader, FlagTable } from './flag-reader.js';

/** The tokens of service accounts. */
export interface ServiceAccountConfig {
  readonly serviceAccountIssuers: readonly string[];
  readonly serviceAccountSigningKeyFile: string | undefined;
  readonly serviceAccountKeyFiles: readonly string[];
  readonly apiAudiences: readonly string[] | undefined;
  readonly serviceAccountJwksUri: string | undefined;
  /** Undefined: no limit but the kind's own. */
  readonly serviceAccountMaxTokenSeconds: number | undefined;
  /** Tokens of pods live for a year, for clients that do not read them again. */
  readonly serviceAccountExtendTokens: boolean;
}

export const serviceAccountFlags: FlagTable = {
  'api-audiences': 'Audiences of tokens for the API (default: the issuers)',
  'service-account-extend-token-expiration': 'Tokens of pods live for a year, for clients that do not read them again (default true)',
  'service-account-issuer': 'Issuer of service account tokens; the first is put into new ones',
  'service-account-jwks-uri': 'Where others find the keys of service account tokens',
  'service-account-key-file': 'PEM keys service account tokens are verified with',
  'service-account-max-token-expiration': 'Longest life of a token that is asked for (default: no limit)',
  'service-account-signing-key-file': 'PEM key service account tokens are signed with',
};

const HOUR_MS = 3_600_000;

export function parseServiceAccountFlags(reader: FlagReader): ServiceAccountConfig {
  const max = reader.duration('service-account-max-token-expiration', 0);
  if (max !== 0 && (max < HOUR_MS || max > 2 ** 32 * 1000))
    reader.problem('service-account-max-token-expiration', 'the service-account-max-token-expiration must be between 1 hour and 2^32 seconds');
  return {
    serviceAccountIssuers: reader.list('service-account-issuer', ['https://kubernetes.default.svc.cluster.local']),
    serviceAccountSigningKeyFile: reader.text('service-account-signing-key-file'),
    serviceAccountKeyFiles: reader.list('service-account-key-file'),
    apiAudiences: reader.text('api-audiences') === undefined ? undefined : reader.list('api-audiences'),
    serviceAccountJwksUri: reader.text('service-account-jwks-uri'),
    serviceAccountMaxTokenSeconds: max === 0 ? undefined : Math.round(max / 1000),
    serviceAccountExtendTokens: reader.boolean('service-account-extend-token-expiration', true),
  };
}
