import type { UserInfo } from '@coxswain/sdk';
import { Budget, CelEnvironment, compile, evaluationText, type Program, RUNTIME_BUDGET, toCel } from '@coxswain/cel';
import type { ClaimMapping, JwtAuthenticatorConfig } from './jwt-authenticator-config.js';

export type Claims = Readonly<Record<string, unknown>>;

/** Made when an expression is: most servers have none, and all of them load this. */
let forClaims: CelEnvironment | undefined;
let forUsers: CelEnvironment | undefined;
const claimsEnvironment = (): CelEnvironment => (forClaims ??= new CelEnvironment(['claims']));
const userEnvironment = (): CelEnvironment => (forUsers ??= new CelEnvironment(['user']));

/** Makes the user of a token's claims, or says (by throwing) why there is none. Expressions are compiled once; throws CompileError. */
export class ClaimMapper {
  readonly #programs = new Map<string, Program>();
  readonly #userRules: readonly { readonly program: Program; readonly message: string }[];

  constructor(readonly config: JwtAuthenticatorConfig) {
    const { claimMappings, claimValidationRules, userValidationRules } = config;
    const { username, groups, uid, extra } = claimMappings;
    for (const rule of claimValidationRules) if ('expression' in rule) this.#compile(rule.expression, 'bool');
    for (const mapping of [username, groups, uid]) if (mapping && 'expression' in mapping) this.#compile(mapping.expression);
    for (const { valueExpression } of extra) this.#compile(valueExpression);
    this.#userRules = userValidationRules.map(({ expression, message }) => ({ program: compile(userEnvironment(), expression, 'bool'), message }));
  }

  /** Throws an Error that says what is missing or not as required. */
  userOf(claims: Claims): UserInfo {
    const variables = { claims: toCel(claims) };
    const budget = new Budget(RUNTIME_BUDGET);
    const evaluate = (expression: string): unknown => this.#run(this.#programs.get(expression) as Program, variables, budget);
    this.#checkClaims(claims, evaluate);
    const { username, groups, uid, extra } = this.config.claimMappings;
    const name = 'expression' in username ? text(evaluate(username.expression), 'username') : this.#username(claims, username);
    if (name === '') throw new Error('oidc: the username is empty');
    const user: UserInfo = {
      name,
      groups: groups === undefined ? [] : 'expression' in groups ? texts(evaluate(groups.expression), 'groups') : claimedGroups(claims, groups),
      ...this.#uid(claims, uid, evaluate),
      ...extraOf(extra, evaluate),
    };
    this.#checkUser(user, budget);
    return user;
  }

  #checkClaims(claims: Claims, evaluate: (expression: string) => unknown): void {
    for (const rule of this.config.claimValidationRules) {
      if ('expression' in rule) {
        if (evaluate(rule.expression) !== true)
          throw new Error(`oidc: error evaluating claim validation expression: validation expression '${rule.expression}' failed: ${rule.message}`);
        continue;
      }
      const { claim, requiredValue } = rule;
      const value = claims[claim];
      if (value === undefined) throw new Error(`oidc: required claim ${claim} not present in ID token`);
      if (typeof value !== 'string') throw new Error(`oidc: parse claim ${claim}: it is not a string`);
      if (value !== requiredValue) throw new Error(`oidc: required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`);
    }
  }

  #username(claims: Claims, { claim, prefix }: Extract<ClaimMapping, { claim: string }>): string {
    const value = claims[claim];
    if (value === undefined) throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: claim not present`);
    if (typeof value !== 'string') throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: it is not a string`);
    // An address nobody has confirmed is anybody's.
    if (claim === 'email' && claims.email_verified !== undefined && claims.email_verified !== true) throw new Error('oidc: email not verified');
    return prefix + value;
  }

  #uid(claims: Claims, uid: JwtAuthenticatorConfig['claimMappings']['uid'], evaluate: (expression: string) => unknown): { uid?: string } {
    if (!uid) return {};
    if ('expression' in uid) {
      const value = text(evaluate(uid.expression), 'uid');
      return value === '' ? {} : { uid: value };
    }
    const value = claims[uid.claim];
    if (typeof value !== 'string') throw new Error(`oidc: error parsing uid claim ${JSON.stringify(uid.claim)}: it is not a string`);
    return { uid: value };
  }

  #checkUser({ name, uid, groups, extra }: UserInfo, budget: Budget): void {
    if (this.#userRules.length === 0) return;
    const variables = { user: toCel({ username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) }) };
    for (const { program, message } of this.#userRules) {
      if (this.#run(program, variables, budget) !== true)
        throw new Error(`oidc: error evaluating user info validation rule: validation expression '${program.source}' failed: ${message}`);
    }
  }

  #compile(expression: string, type?: 'bool'): void {
    this.#programs.set(expression, compile(claimsEnvironment(), expression, type));
  }

  #run(program: Program, variables: Readonly<Record<string, unknown>>, budget: Budget): unknown {
    try {
      return program.run(variables, budget);
    } catch (error) {
      throw new Error(`oidc: expression '${program.source}' resulted in error: ${evaluationText(error)}`, { cause: error });
    }
  }
}

function claimedGroups(claims: Claims, { claim, prefix }: Extract<ClaimMapping, { claim: string }>): string[] {
  const value = claims[claim];
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  if (!list.every((group): group is string => typeof group === 'string'))
    throw new Error(`oidc: parse groups claim ${JSON.stringify(claim)}: it is not a list of strings`);
  return list.map((group) => prefix + group);
}

function extraOf(extra: JwtAuthenticatorConfig['claimMappings']['extra'], evaluate: (expression: string) => unknown): { extra?: Record<string, string[]> } {
  const out: Record<string, string[]> = {};
  for (const { key, valueExpression } of extra) {
    const values = texts(evaluate(valueExpression), `extra ${key}`);
    if (values.length > 0) out[key] = values;
  }
  return Object.keys(out).length > 0 ? { extra: out } : {};
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`oidc: error evaluating ${what} claim expression: it does not result in a string`);
  return value;
}

/** A string, a list of strings, or nothing. */
function texts(value: unknown, what: string): string[] {
  if (value === null || value === undefined || value === '') return [];
  const list = Array.isArray(value) ? value : [value];
  if (!list.every((each): each is string => typeof each === 'string'))
    throw new Error(`oidc: error evaluating ${what} claim expression: it does not result in strings`);
  return list.filter((each) => each !== '');
}
