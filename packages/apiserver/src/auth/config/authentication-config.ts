import { SIGNING_ALGORITHMS } from '../jwt/jwt-authenticator-config.js';
import type { ClaimMapping, ClaimRule, JwtAuthenticatorConfig } from '../jwt/jwt-authenticator-config.js';
import { ClaimMapper } from '../jwt/claim-mapper.js';
import { ConfigFileError, ConfigReader } from './config-reader.js';

export interface AuthenticationConfig {
  readonly jwt: readonly JwtAuthenticatorConfig[];
  /** Absent: `--anonymous-auth` says. */
  readonly anonymous?: boolean | { readonly paths: readonly string[] };
}

/** An AuthenticationConfiguration of apiserver.config.k8s.io in YAML. Throws ConfigFileError with everything that is wrong. */
export function parseAuthenticationConfig(text: string): AuthenticationConfig {
  const file = ConfigReader.file(text, 'AuthenticationConfiguration');
  const jwt = file.objects('jwt').map(jwtOf);
  const urls = jwt.map(({ issuer }) => issuer.url);
  for (const [i, url] of urls.entries()) if (urls.indexOf(url) !== i) file.problem(`jwt[${i}].issuer.url`, `Duplicate value: ${JSON.stringify(url)}`);
  const anonymous = file.has('anonymous') ? anonymousOf(file.object('anonymous')) : undefined;
  file.done();
  if (file.problems.length > 0) throw new ConfigFileError(file.problems);
  for (const [i, config] of jwt.entries()) {
    try {
      new ClaimMapper(config);
    } catch (error) {
      throw new ConfigFileError([`jwt[${i}]: ${(error as Error).message}`]);
    }
  }
  return { jwt, ...(anonymous === undefined ? {} : { anonymous }) };
}

function anonymousOf(reader: ConfigReader): AuthenticationConfig['anonymous'] {
  const enabled = reader.boolean('enabled', false);
  const paths = reader.objects('conditions').map((condition) => {
    const path = condition.string('path');
    condition.done();
    return path;
  });
  if (paths.length > 0 && !enabled) reader.problem('conditions', 'enabled should be set to true when conditions are defined');
  reader.done();
  return enabled && paths.length > 0 ? { paths } : enabled;
}

function jwtOf(reader: ConfigReader): JwtAuthenticatorConfig {
  const issuer = issuerOf(reader.object('issuer'));
  const claimValidationRules = reader.objects('claimValidationRules').map(claimRuleOf);
  const claimMappings = mappingsOf(reader.object('claimMappings'), claimValidationRules);
  const userValidationRules = reader.objects('userValidationRules').map((rule) => {
    const out = { expression: rule.string('expression'), message: rule.string('message', '') };
    rule.done();
    return out;
  });
  reader.done();
  return { issuer, signingAlgorithms: SIGNING_ALGORITHMS, claimValidationRules, claimMappings, userValidationRules };
}

function issuerOf(reader: ConfigReader): JwtAuthenticatorConfig['issuer'] {
  const url = reader.string('url');
  const discoveryUrl = reader.string('discoveryURL', '');
  const certificateAuthority = reader.string('certificateAuthority', '');
  const audiences = reader.strings('audiences');
  reader.oneOf('audienceMatchPolicy', ['MatchAny'], audiences.length > 1 ? undefined : 'MatchAny');
  reader.done();
  for (const [name, value] of [
    ['url', url],
    ['discoveryURL', discoveryUrl],
  ] as const) {
    const problem = value === '' ? undefined : urlProblem(value);
    if (problem) reader.problem(name, `Invalid value: ${JSON.stringify(value)}: ${problem}`);
  }
  if (discoveryUrl !== '' && discoveryUrl.replace(/\/$/, '') === url.replace(/\/$/, ''))
    reader.problem('discoveryURL', `Invalid value: ${JSON.stringify(discoveryUrl)}: discoveryURL must be different from URL`);
  if (audiences.length === 0) reader.problem('audiences', 'Required value: at least one audience is required');
  return { url, audiences, ...(discoveryUrl === '' ? {} : { discoveryUrl }), ...(certificateAuthority === '' ? {} : { certificateAuthority }) };
}

/** As upstream asks of issuers; undefined when fine. */
export function urlProblem(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    return (error as Error).message;
  }
  if (url.protocol !== 'https:') return 'URL scheme must be https';
  if (url.username !== '' || url.password !== '') return 'URL must not contain a username or password';
  if (url.search !== '') return 'URL must not contain a query';
  return url.hash === '' ? undefined : 'URL must not contain a fragment';
}

function claimRuleOf(reader: ConfigReader): ClaimRule {
  const expression = reader.string('expression', '');
  const message = reader.string('message', '');
  const claim = reader.string('claim', '');
  const requiredValue = reader.string('requiredValue', '');
  reader.done();
  if (claim !== '' && expression !== '') reader.problem('claim', 'Invalid value: claim and expression cannot both be specified');
  if (claim === '' && expression === '') reader.problem('claim', 'Required value: claim or expression is required');
  if (claim !== '' && message !== '') reader.problem('message', 'may not be specified when claim is set');
  return expression === '' ? { claim, requiredValue } : { expression, message };
}

function mappingsOf(reader: ConfigReader, rules: readonly ClaimRule[]): JwtAuthenticatorConfig['claimMappings'] {
  const username = mappingOf(reader.object('username'), true);
  const groups = reader.has('groups') ? mappingOf(reader.object('groups'), true) : undefined;
  const uid = reader.has('uid') ? mappingOf(reader.object('uid'), false) : undefined;
  const extra = reader.objects('extra').map((each) => {
    const out = { key: each.string('key'), valueExpression: each.string('valueExpression') };
    if (out.key !== out.key.toLowerCase()) each.problem('key', `Invalid value: ${JSON.stringify(out.key)}: must be lowercase`);
    else if (!/^[^/\s]+\/[^\s]+$/.test(out.key))
      each.problem('key', `Invalid value: ${JSON.stringify(out.key)}: must be a domain-prefixed path (such as "acme.io/foo")`);
    each.done();
    return out;
  });
  reader.done();
  const expressions = [...extra.map(({ valueExpression }) => valueExpression), ...rules.flatMap((rule) => ('expression' in rule ? [rule.expression] : []))];
  if (
    'expression' in username &&
    /\bclaims\.email\b(?!_)/.test(username.expression) &&
    ![username.expression, ...expressions].some((each) => each.includes('claims.email_verified'))
  )
    reader.problem(
      'username.expression',
      'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
    );
  return {
    username,
    ...(groups ? { groups } : {}),
    ...(uid ? { uid: 'expression' in uid ? uid : { claim: uid.claim } } : {}),
    extra,
  };
}

function mappingOf(reader: ConfigReader, prefixed: boolean): ClaimMapping {
  const claim = reader.string('claim', '');
  const expression = reader.string('expression', '');
  const prefix = reader.string('prefix', '');
  reader.done();
  if (claim !== '' && expression !== '') reader.problem('claim', "Invalid value: claim and expression can't both be set");
  else if (claim === '' && expression === '') reader.problem('claim', 'Required value: claim or expression is required');
  if (prefixed && claim !== '' && !reader.has('prefix'))
    reader.problem('prefix', 'Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing');
  if (expression !== '' && reader.has('prefix')) reader.problem('prefix', "prefix can't be set when expression is set");
  return expression === '' ? { claim, prefix } : { expression };
}
