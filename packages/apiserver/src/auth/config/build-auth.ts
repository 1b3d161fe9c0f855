import type { Authenticator, Authorizer, Clock, Logger, Random } from '@coxswain/sdk';
import type { ApiServerOptions } from '../../api-server-options.js';
import { JwtAuthenticator } from '../jwt/jwt-authenticator.js';
import { accessReviewAuthorizer } from '../webhook/access-review-authorizer.js';
import { kubeconfigReviewClient } from '../webhook/kubeconfig-review-client.js';
import { tokenReviewAuthenticator } from '../webhook/token-review-authenticator.js';
import type { AuthFlags } from './auth-flags.js';
import { parseAuthenticationConfig } from './authentication-config.js';
import type { AuthenticationConfig } from './authentication-config.js';
import { parseAuthorizationConfig } from './authorization-config.js';
import type { AuthorizerConfig, WebhookAuthorizerConfig } from './authorization-config.js';

export interface BuildAuthEnv {
  /** Rejects naming the flag whose file cannot be read. */
  readonly read: (flag: string, path: string) => Promise<string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly apiAudiences: readonly string[];
  /** What `--anonymous-auth` says. */
  readonly anonymous: boolean;
  /** Whether it was said. */
  readonly anonymousGiven: boolean;
}

export interface BuiltAuth {
  readonly authenticators: readonly Authenticator[];
  readonly authorizationModes: ApiServerOptions['authorizationModes'];
  readonly anonymous: ApiServerOptions['anonymous'];
}

const WEBHOOK_TIMEOUT_MS = 30_000;

/** Authenticators and authorizers of the flags, in the order they are asked. Rejects naming the flag and what is wrong in its file. */
export async function buildAuth(flags: AuthFlags, env: BuildAuthEnv): Promise<BuiltAuth> {
  const [config, authorizationModes] = await Promise.all([authenticationConfig(flags, env), authorizers(flags, env)]);
  if (config.anonymous !== undefined && env.anonymousGiven)
    throw new Error('--anonymous-auth: cannot be used together with anonymous in --authentication-config');
  const authenticators: Authenticator[] = config.jwt.map((jwt) => new JwtAuthenticator(jwt, env.clock, env.logger));
  if (flags.tokenWebhook) {
    const { file, version, ttlMs } = flags.tokenWebhook;
    const flag = 'authentication-token-webhook-config-file';
    const client = await webhook(flag, file, WEBHOOK_TIMEOUT_MS, env);
    authenticators.push(
      tokenReviewAuthenticator({ name: 'token-webhook', client, version, ttlMs, implicitAudiences: env.apiAudiences, clock: env.clock, logger: env.logger }),
    );
  }
  return { authenticators, authorizationModes, anonymous: config.anonymous ?? env.anonymous };
}

async function authenticationConfig({ authenticationConfig: path, oidc }: AuthFlags, env: BuildAuthEnv): Promise<AuthenticationConfig> {
  if (path) return parsed('authentication-config', path, env, parseAuthenticationConfig);
  if (!oidc) return { jwt: [] };
  const ca = oidc.caFile ? await env.read('oidc-ca-file', oidc.caFile) : undefined;
  return { jwt: [{ ...oidc.config, issuer: { ...oidc.config.issuer, ...(ca ? { certificateAuthority: ca } : {}) } }] };
}

async function authorizers(flags: AuthFlags, env: BuildAuthEnv): Promise<ApiServerOptions['authorizationModes']> {
  const configs: readonly AuthorizerConfig[] = flags.authorizationConfig
    ? await parsed('authorization-config', flags.authorizationConfig, env, parseAuthorizationConfig)
    : (flags.modes ?? []).map((type) => (type === 'Webhook' ? legacyWebhook(flags) : { type }));
  const flag = flags.authorizationConfig ? 'authorization-config' : 'authorization-webhook-config-file';
  return Promise.all(configs.map((config) => (config.type === 'Webhook' ? webhookAuthorizer(flag, config, env) : config.type)));
}

function legacyWebhook({ accessWebhook }: AuthFlags): WebhookAuthorizerConfig {
  if (!accessWebhook) throw new Error('--authorization-webhook-config-file: is required');
  const { file, version, authorizedTtlMs, unauthorizedTtlMs } = accessWebhook;
  return {
    type: 'Webhook',
    name: 'default',
    authorizedTtlMs,
    unauthorizedTtlMs,
    timeoutMs: WEBHOOK_TIMEOUT_MS,
    version,
    failurePolicy: 'NoOpinion',
    kubeconfigFile: file,
    matchConditions: [],
  };
}

async function webhookAuthorizer(flag: string, config: WebhookAuthorizerConfig, env: BuildAuthEnv): Promise<Authorizer> {
  const client = await webhook(flag, config.kubeconfigFile, config.timeoutMs, env);
  try {
    return accessReviewAuthorizer({ ...config, client, clock: env.clock, logger: env.logger });
  } catch (error) {
    throw new Error(`--${flag}: authorizer ${JSON.stringify(config.name)}: ${(error as Error).message}`, { cause: error });
  }
}

const webhook = (flag: string, path: string, timeoutMs: number, env: BuildAuthEnv) =>
  parsed(flag, path, env, (text) => kubeconfigReviewClient(text, path, timeoutMs, env));

async function parsed<T>(flag: string, path: string, { read }: BuildAuthEnv, parse: (text: string) => T): Promise<T> {
  const text = await read(flag, path);
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`--${flag}: ${path}: ${(error as Error).message}`, { cause: error });
  }
}
