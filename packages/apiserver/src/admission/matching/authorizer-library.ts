import type { AdmissionRequest, AuthorizationAttributes, AuthorizationResult, UserInfo } from '@coxswain/sdk';
import type { Environment } from '@marcbachmann/cel-js';
import type { Authorization } from '../../auth/authorization.js';

interface ResourceTarget {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** `authorizer` in expressions: asks what the user of the request, or a service account, may do. */
export class AuthorizerValue {
  constructor(
    readonly authorization: Authorization,
    readonly user: UserInfo,
    readonly own: ResourceTarget,
  ) {}

  /** A field in expressions: a check of the resource the request is about. */
  get requestResource(): ResourceCheck {
    return new ResourceCheck(this, this.own);
  }
}

class PathCheck {
  constructor(
    readonly authorizer: AuthorizerValue,
    readonly path: string,
  ) {}
}

class GroupCheck {
  constructor(
    readonly authorizer: AuthorizerValue,
    readonly group: string,
  ) {}
}

class ResourceCheck {
  constructor(
    readonly authorizer: AuthorizerValue,
    readonly target: ResourceTarget,
  ) {}
}

class Decision {
  constructor(
    readonly result: AuthorizationResult,
    readonly error: string,
  ) {}
}

export function requestResource({ resource, subresource, namespace, name }: AdmissionRequest): ResourceTarget {
  return {
    group: resource.group,
    resource: resource.resource,
    ...(subresource === '' ? {} : { subresource }),
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
  };
}

function decide({ authorization, user }: AuthorizerValue, verb: string, target: AuthorizationAttributes['target']): Decision | Promise<Decision> {
  try {
    const result = authorization.authorize({ user, verb, target });
    const failed = (error: unknown) => new Decision({ decision: 'no-opinion' }, (error as Error).message);
    return result instanceof Promise ? result.then((value) => new Decision(value, ''), failed) : new Decision(result, '');
  } catch (error) {
    return new Decision({ decision: 'no-opinion' }, (error as Error).message);
  }
}

/** Kubernetes' authorizer library. */
export function registerAuthorizer(env: Environment): void {
  const A = 'kubernetes.authorization.Authorizer';
  const P = 'kubernetes.authorization.PathCheck';
  const G = 'kubernetes.authorization.GroupCheck';
  const R = 'kubernetes.authorization.ResourceCheck';
  const D = 'kubernetes.authorization.Decision';
  env.registerType(A, { ctor: AuthorizerValue, fields: { requestResource: 'dyn' } });
  env.registerType(P, PathCheck).registerType(G, GroupCheck).registerType(R, ResourceCheck).registerType(D, Decision);
  env.registerFunction(`${A}.path(string): ${P}`, (authorizer: AuthorizerValue, path: string) => new PathCheck(authorizer, path));
  env.registerFunction(`${A}.group(string): ${G}`, (authorizer: AuthorizerValue, group: string) => new GroupCheck(authorizer, group));
  env.registerFunction(`${A}.serviceAccount(string, string): ${A}`, ({ authorization, own }: AuthorizerValue, namespace: string, name: string) => {
    const user: UserInfo = {
      name: `system:serviceaccount:${namespace}:${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    };
    return new AuthorizerValue(authorization, user, own);
  });
  env.registerFunction(
    `${G}.resource(string): ${R}`,
    ({ authorizer, group }: GroupCheck, resource: string) => new ResourceCheck(authorizer, { group, resource }),
  );
  for (const key of ['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const) {
    env.registerFunction(
      `${R}.${key}(string): ${R}`,
      ({ authorizer, target }: ResourceCheck, value: string) => new ResourceCheck(authorizer, { ...target, [key]: value }),
    );
  }
  env.registerFunction(`${P}.check(string): ${D}`, ({ authorizer, path }: PathCheck, verb: string) => decide(authorizer, verb, { type: 'path', path }));
  env.registerFunction(`${R}.check(string): ${D}`, ({ authorizer, target }: ResourceCheck, verb: string) =>
    decide(authorizer, verb, { type: 'resource', version: '*', ...target }),
  );
  env.registerFunction(`${D}.allowed(): bool`, ({ result }: Decision) => result.decision === 'allow');
  env.registerFunction(`${D}.reason(): string`, ({ result }: Decision) => result.reason ?? '');
  env.registerFunction(`${D}.errored(): bool`, ({ error }: Decision) => error !== '');
  env.registerFunction(`${D}.error(): string`, ({ error }: Decision) => error);
}
