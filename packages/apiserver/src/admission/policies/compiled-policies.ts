import type { KubeObject } from '@coxswain/api';
import { MatchConditions } from '../matching/match-conditions.js';
import type { MatchCondition } from '../matching/match-conditions.js';
import type { AdmissionEnv } from '../admission-env.js';
import type { ParamKind, ParamRef } from './find-params.js';
import type { MatchResources } from './match-policy.js';
import { compileExpression, policyEnvironment } from './policy-environment.js';
import type { NamedExpression } from './policy-environment.js';

const GROUP = 'admissionregistration.k8s.io';

export interface Binding {
  readonly name: string;
  readonly matchResources: MatchResources | undefined;
  readonly paramRef: ParamRef | undefined;
  readonly validationActions: readonly string[];
}

/** A policy ready to be evaluated, with the bindings that put it into force. `T` is what it does. */
export interface CompiledPolicy<T> {
  readonly name: string;
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly matchConstraints: MatchResources | undefined;
  readonly paramKind: ParamKind | undefined;
  readonly conditions: MatchConditions;
  readonly variables: readonly NamedExpression[];
  readonly bindings: readonly Binding[];
  readonly rules: T;
}

/** All policies of one sort; compiled again when a policy or binding changes. */
export class CompiledPolicies<T> {
  #changes = '';
  #policies: readonly CompiledPolicy<T>[] = [];

  constructor(
    readonly env: AdmissionEnv,
    readonly resources: { readonly policies: string; readonly bindings: string },
    readonly compileRules: (spec: NonNullable<KubeObject['spec']>) => T,
    /** What an expression of a variable is compiled as. */
    readonly expand: (source: string) => string = (source) => source,
  ) {}

  get(): readonly CompiledPolicy<T>[] {
    const { registry } = this.env;
    const policies = registry.storage(GROUP, this.resources.policies).cache;
    const bindings = registry.storage(GROUP, this.resources.bindings).cache;
    const changes = `${policies.changes}/${bindings.changes}`;
    if (changes === this.#changes) return this.#policies;
    this.#changes = changes;
    const byPolicy = new Map<string, Binding[]>();
    for (const { name, object } of bindings.all()) {
      const { policyName, matchResources, paramRef, validationActions } = object.spec as {
        policyName: string;
        matchResources?: MatchResources;
        paramRef?: ParamRef;
        validationActions?: string[];
      };
      const list = byPolicy.get(policyName) ?? [];
      list.push({ name, matchResources, paramRef, validationActions: validationActions ?? ['Deny'] });
      byPolicy.set(policyName, list);
    }
    return (this.#policies = policies.all().flatMap(({ name, object }) => {
      const bound = byPolicy.get(name);
      return bound ? [this.#compile(name, object, bound)] : [];
    }));
  }

  #compile(name: string, { spec }: KubeObject, bindings: readonly Binding[]): CompiledPolicy<T> {
    return {
      name,
      failurePolicy: spec.failurePolicy === 'Ignore' ? 'Ignore' : 'Fail',
      matchConstraints: spec.matchConstraints as MatchResources | undefined,
      paramKind: spec.paramKind as ParamKind | undefined,
      conditions: new MatchConditions((spec.matchConditions ?? []) as MatchCondition[], policyEnvironment()),
      variables: ((spec.variables ?? []) as { name: string; expression: string }[]).map((variable) => ({
        name: variable.name,
        program: compileExpression(this.expand(variable.expression)),
      })),
      bindings,
      rules: this.compileRules(spec),
    };
  }
}
