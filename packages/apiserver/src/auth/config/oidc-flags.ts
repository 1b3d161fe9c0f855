import type { ApiServerFlags } from '../../flags/flag-reader.js';
import { SIGNING_ALGORITHMS } from '../jwt/jwt-authenticator-config.js';
import type { JwtAuthenticatorConfig } from '../jwt/jwt-authenticator-config.js';
import { urlProblem } from './authentication-config.js';

/** The `--oidc-…` flags as what they configure; the file is still to be read. */
export interface OidcFlags {
  readonly config: JwtAuthenticatorConfig;
  readonly caFile: string | undefined;
}

const DEFAULT_CLAIM = 'sub';

/** Undefined when OIDC is not asked for; what is wrong goes to `problems`. */
export function parseOidcFlags(flags: ApiServerFlags, problems: string[]): OidcFlags | undefined {
  const url = flags['oidc-issuer-url'];
  const clientId = flags['oidc-client-id'];
  if (url === undefined && clientId === undefined) {
    for (const name of Object.keys(flags))
      if (name.startsWith('oidc-') && flags[name] !== undefined) problems.push(`--${name}: needs --oidc-issuer-url and --oidc-client-id`);
    return undefined;
  }
  if (!url || !clientId) {
    problems.push('oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set');
    return undefined;
  }
  const problem = urlProblem(url);
  if (problem) problems.push(`--oidc-issuer-url: ${JSON.stringify(url)}: ${problem}`);
  const algorithms = listOf(flags['oidc-signing-algs'] ?? 'RS256');
  for (const algorithm of algorithms)
    if (!(SIGNING_ALGORITHMS as readonly string[]).includes(algorithm))
      problems.push(`--oidc-signing-algs: ${JSON.stringify(algorithm)} is not one of ${SIGNING_ALGORITHMS.join(', ')}`);
  const claim = flags['oidc-username-claim'] ?? DEFAULT_CLAIM;
  const groupsClaim = flags['oidc-groups-claim'];
  const rules = listOf(flags['oidc-required-claim'] ?? '').flatMap((pair) => {
    const equals = pair.indexOf('=');
    if (equals > 0) return [{ claim: pair.slice(0, equals), requiredValue: pair.slice(equals + 1) }];
    problems.push(`--oidc-required-claim: ${JSON.stringify(pair)} is not claim=value`);
    return [];
  });
  return {
    caFile: flags['oidc-ca-file'],
    config: {
      issuer: { url, audiences: [clientId] },
      signingAlgorithms: algorithms,
      claimValidationRules: rules,
      claimMappings: {
        username: { claim, prefix: usernamePrefix(flags['oidc-username-prefix'], claim, url) },
        ...(groupsClaim ? { groups: { claim: groupsClaim, prefix: flags['oidc-groups-prefix'] ?? '' } } : {}),
        extra: [],
      },
      userValidationRules: [],
    },
  };
}

/** Names are the issuer's own, unless said otherwise; `-`: as they are. An e-mail address is everybody's. */
function usernamePrefix(flag: string | undefined, claim: string, url: string): string {
  if (flag === '-') return '';
  if (flag !== undefined && flag !== '') return flag;
  return claim === 'email' ? '' : `${url}#`;
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
