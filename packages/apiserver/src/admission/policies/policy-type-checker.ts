import type { KubeObject, SchemaLookup } from '@coxswain/api';
import { parseGroupVersion } from '@coxswain/apimachinery';
import { typeWarning } from '@coxswain/cel';
import type { Transport } from '@coxswain/client';
import type { Clock, Logger } from '@coxswain/sdk';
import type { ResourceRegistry } from '../../registry/resource-registry.js';
import type { ServedResource } from '../../registry/served-resource.js';
import type { ResourceCache } from '../../storage/resource-cache.js';
import type { Rule } from '../matching/match-rules.js';
import type { ParamKind } from './find-params.js';
import { type NamedType, type PolicyVariable, typedEnvironment, withVariables } from './typed-environment.js';

const RETRY_MS = 500;
/** Of how many resources that a policy matches the types are looked at. */
const MAX_TYPES = 10;

export interface PolicyTypeCheckerOptions {
  readonly registry: ResourceRegistry;
  /** Of validatingadmissionpolicies. */
  readonly policies: ResourceCache;
  readonly transport: Transport;
  readonly lookup: SchemaLookup;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ExpressionWarning {
  readonly fieldRef: string;
  readonly warning: string;
}

/**
 * Tells authors of ValidatingAdmissionPolicies, in their status, where an expression does not fit the types of the resources it
 * matches. A policy with warnings works all the same. Each generation is looked at once.
 */
export class PolicyTypeChecker {
  readonly #pending = new Set<string>();
  readonly #abort = new AbortController();
  #working: Promise<void> | undefined;
  #unsubscribe = () => {};

  constructor(readonly options: PolicyTypeCheckerOptions) {}

  start(): void {
    const { policies } = this.options;
    this.#unsubscribe = policies.onEvent(({ object }) => this.#enqueue(object.name));
    for (const { name } of policies.all()) this.#enqueue(name);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#unsubscribe();
    await this.#working;
  }

  #enqueue(name: string): void {
    this.#pending.add(name);
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    // The caches are in the middle of applying the event: begin after that.
    await Promise.resolve();
    for (const name of this.#pending) {
      if (this.#abort.signal.aborted) break;
      this.#pending.delete(name);
      try {
        await this.#sync(name);
      } catch (err) {
        if (this.#abort.signal.aborted) break;
        this.options.logger.warn('an admission policy was not checked; trying again', { err, name });
        this.options.clock.setTimeout(() => this.#abort.signal.aborted || this.#enqueue(name), RETRY_MS);
      }
    }
    this.#working = undefined;
  }

  async #sync(name: string): Promise<void> {
    const policy = this.options.policies.get('', name)?.object;
    if (!policy) return;
    const { generation, resourceVersion } = policy.metadata;
    if (policy.status?.typeChecking !== undefined && policy.status.observedGeneration === generation) return;
    const warnings = this.warnings(policy);
    const typeChecking = warnings.length > 0 ? { expressionWarnings: warnings } : { expressionWarnings: null };
    const path = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/${name}/status`;
    const response = await this.options.transport.request({
      method: 'PATCH',
      path,
      headers: { 'user-agent': 'validatingadmissionpolicy-status-controller', 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify({ metadata: { resourceVersion }, status: { observedGeneration: generation, typeChecking } }),
      signal: this.#abort.signal,
    });
    // Gone or changed in between: the event of that brings it back.
    if (response.status < 400 || response.status === 404 || response.status === 409) return;
    throw new Error(`PATCH ${path}: ${(response.object as KubeObject | undefined)?.message ?? response.body.toString()}`);
  }

  /** Of one policy, in the order of its expressions. */
  warnings({ spec }: KubeObject): ExpressionWarning[] {
    const { lookup } = this.options;
    const {
      matchConstraints,
      paramKind,
      variables = [],
      validations = [],
    } = spec as {
      matchConstraints?: { resourceRules?: readonly Rule[] };
      paramKind?: ParamKind;
      variables?: readonly PolicyVariable[];
      validations?: readonly { expression: string; messageExpression?: string }[];
    };
    const params = paramKind && this.#params(paramKind);
    const types = this.#matched(matchConstraints?.resourceRules ?? []).map((served) => ({
      name: kindText(served),
      environment: withVariables(typedEnvironment({ object: namedType(served), params, lookup }), variables),
    }));
    const check = (fieldRef: string, source: string | undefined): ExpressionWarning[] => {
      if (!source?.trim()) return [];
      const found = types.flatMap(({ name, environment }) => {
        const warning = typeWarning(environment, source);
        return warning ? [`${name}: ${warning}`] : [];
      });
      return found.length > 0 ? [{ fieldRef, warning: found.join('\n') }] : [];
    };
    return validations.flatMap(({ expression, messageExpression }, i) => [
      ...check(`spec.validations[${i}].expression`, expression),
      ...check(`spec.validations[${i}].messageExpression`, messageExpression),
    ]);
  }

  /** Parameters of a kind that nobody serves may be anything. */
  #params({ apiVersion, kind }: ParamKind): NamedType | 'any' {
    const { group, version } = parseGroupVersion(apiVersion);
    const served = this.options.registry.findKind(group, version, kind);
    return served ? { ...namedType(served), name: `params.${namedType(served).name}` } : 'any';
  }

  /** The resources that rules name, in order; a rule that is for all groups or versions names none, nor does a resource with a wildcard. */
  #matched(rules: readonly Rule[]): ServedResource[] {
    const found = new Set<ServedResource>();
    for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
      if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) continue;
      for (const group of apiGroups.toSorted()) {
        for (const version of apiVersions.toSorted()) {
          for (const resource of resources.toSorted()) {
            const served = /[*/]/.test(resource) ? undefined : this.options.registry.find(group, version, resource);
            if (served && found.size < MAX_TYPES) found.add(served);
          }
        }
      }
    }
    return [...found].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  }
}

const namedType = ({ definition, schema }: ServedResource): NamedType => ({ name: `${definition.version}.${definition.kind}`, schema });

const orderOf = ({ definition: { group, version, kind } }: ServedResource): string => `${group}/${version}/${kind}`;

const kindText = ({ definition: { group, version, kind } }: ServedResource): string => `${group === '' ? '' : `${group}/`}${version}, Kind=${kind}`;
