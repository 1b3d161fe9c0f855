import type { ApiServerFlags, FlagReader } from '../../flags/flag-reader.js';
import { parseOidcFlags } from './oidc-flags.js';
import type { OidcFlags } from './oidc-flags.js';

const MODES = ['Node', 'RBAC', 'AlwaysAllow', 'AlwaysDeny', 'Webhook'] as const;
type Mode = (typeof MODES)[number];

export interface WebhookFlags {
  readonly file: string;
  readonly version: 'v1' | 'v1beta1';
}

/** Who may ask, and who may what, as flags say. Files are still to be read. */
export interface AuthFlags {
  readonly bootstrapTokens: boolean;
  readonly authenticationConfig: string | undefined;
  readonly oidc: OidcFlags | undefined;
  readonly tokenWebhook: (WebhookFlags & { readonly ttlMs: number }) | undefined;
  /** Undefined: `authorizationConfig` says. */
  readonly modes: readonly Mode[] | undefined;
  readonly authorizationConfig: string | undefined;
  readonly accessWebhook: (WebhookFlags & { readonly authorizedTtlMs: number; readonly unauthorizedTtlMs: number }) | undefined;
}

/** Flags with their meaning, for `--help`. */
export const authFlags: Readonly<Record<string, string>> = {
  'authentication-config': 'AuthenticationConfiguration file: JWT issuers, anonymous requests (instead of the --oidc-… flags)',
  'authentication-token-webhook-cache-ttl': 'How long answers of the token webhook hold (default 2m0s)',
  'authentication-token-webhook-config-file': 'Kubeconfig of a webhook that reviews bearer tokens',
  'authentication-token-webhook-version': 'Version of TokenReview it is sent: v1, v1beta1 (default v1beta1)',
  'authorization-config': 'AuthorizationConfiguration file (instead of --authorization-mode and --authorization-webhook-…)',
  'authorization-mode': 'Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny, in order (default Node,RBAC)',
  'authorization-webhook-cache-authorized-ttl': 'How long a yes of the authorization webhook holds (default 5m0s)',
  'authorization-webhook-cache-unauthorized-ttl': 'How long a no of the authorization webhook holds (default 30s)',
  'authorization-webhook-config-file': 'Kubeconfig of a webhook that decides what users may',
  'authorization-webhook-version': 'Version of SubjectAccessReview it is sent: v1, v1beta1 (default v1beta1)',
  'enable-bootstrap-token-auth': 'Secrets of type bootstrap.kubernetes.io/token in kube-system authenticate (default false)',
  'oidc-ca-file': "PEM bundle that signs the issuer's certificate (default: the system's)",
  'oidc-client-id': 'Audience ID tokens must be for',
  'oidc-groups-claim': "Claim of the user's groups",
  'oidc-groups-prefix': 'Put in front of groups',
  'oidc-issuer-url': 'URL of an OpenID Connect issuer (https) whose ID tokens are taken',
  'oidc-required-claim': 'claim=value an ID token must have',
  'oidc-signing-algs': 'Algorithms ID tokens may be signed with (default RS256)',
  'oidc-username-claim': 'Claim of the user name (default sub)',
  'oidc-username-prefix': "Put in front of user names; -: nothing (default: the issuer's URL and #, nothing for email)",
};

/** What is wrong goes to the reader's problems. */
export function parseAuthFlags(reader: FlagReader): AuthFlags {
  const { flags, problems } = reader;
  const version = (name: string) => reader.oneOf(name, ['v1', 'v1beta1'], 'v1beta1');
  const tokenFile = flags['authentication-token-webhook-config-file'];
  const accessFile = flags['authorization-webhook-config-file'];
  const oidc = parseOidcFlags(flags, problems);
  const authenticationConfig = flags['authentication-config'];
  if (authenticationConfig && oidc) problems.push('--authentication-config: cannot be used together with the --oidc-… flags');
  const authorizationConfig = flags['authorization-config'];
  const modes = modesOf(flags, authorizationConfig, accessFile, problems);
  return {
    bootstrapTokens: reader.boolean('enable-bootstrap-token-auth', false),
    authenticationConfig,
    oidc,
    tokenWebhook: tokenFile
      ? { file: tokenFile, version: version('authentication-token-webhook-version'), ttlMs: reader.duration('authentication-token-webhook-cache-ttl', 120_000) }
      : undefined,
    modes,
    authorizationConfig,
    accessWebhook: accessFile
      ? {
          file: accessFile,
          version: version('authorization-webhook-version'),
          authorizedTtlMs: reader.duration('authorization-webhook-cache-authorized-ttl', 300_000),
          unauthorizedTtlMs: reader.duration('authorization-webhook-cache-unauthorized-ttl', 30_000),
        }
      : undefined,
  };
}

function modesOf(flags: ApiServerFlags, config: string | undefined, webhookFile: string | undefined, problems: string[]): readonly Mode[] | undefined {
  const given = flags['authorization-mode'];
  if (config) {
    const others = Object.keys(flags).filter((name) => flags[name] !== undefined && /^authorization-(mode$|webhook-)/.test(name));
    if (others.length > 0) problems.push(`--authorization-config: cannot be used together with ${others.map((name) => `--${name}`).join(', ')}`);
    return undefined;
  }
  const modes = (given ?? 'Node,RBAC')
    .split(',')
    .map((mode) => mode.trim())
    .filter((mode) => mode !== '');
  if (modes.length === 0) problems.push('--authorization-mode: at least one authorization mode must be passed');
  for (const [i, mode] of modes.entries()) {
    if (mode === 'ABAC') problems.push('--authorization-mode: "ABAC" is not part of this API server: give RBAC its rules, or ask a Webhook');
    else if (!MODES.includes(mode as Mode)) problems.push(`--authorization-mode: ${JSON.stringify(mode)} is not a valid mode: give ${MODES.join(', ')}`);
    if (modes.indexOf(mode) !== i) problems.push(`--authorization-mode: ${JSON.stringify(mode)} has mode specified more than once`);
  }
  if (modes.includes('Webhook') && !webhookFile) problems.push("--authorization-webhook-config-file: is required by --authorization-mode's Webhook");
  if (!modes.includes('Webhook') && webhookFile) problems.push('--authorization-webhook-config-file: needs Webhook in --authorization-mode');
  return modes as Mode[];
}
