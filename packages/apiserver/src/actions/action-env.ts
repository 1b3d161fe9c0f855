import type { Authentication } from '../auth/authentication.js';
import type { Authorization } from '../auth/authorization.js';
import type { ServiceAccountTokens } from '../auth/service-account-tokens.js';
import type { RbacAuthorizer } from '../rbac/rbac-authorizer.js';
import type { RestEnv } from '../rest/rest-env.js';

/** What the handlers of single subresources and reviews need. */
export interface ActionEnv {
  readonly rest: RestEnv;
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  readonly rbac: RbacAuthorizer;
  readonly tokens: ServiceAccountTokens;
  /** Audiences of tokens that ask for none. */
  readonly apiAudiences: readonly string[];
  readonly tokenLimits: { readonly maxTokenSeconds?: number; readonly extendTokens?: boolean };
}
