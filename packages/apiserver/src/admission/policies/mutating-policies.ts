import type { KubeObject } from '@coxswain/api';
import { ApiError, applyPatch as applyConfiguration, deepEqual } from '@coxswain/apimachinery';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { evaluationText, fromCel } from '@coxswain/cel';
import { fieldManagement } from '../../rest/field-managers.js';
import type { AdmissionEnv } from '../admission-env.js';
import { convertRequest } from '../matching/convert-request.js';
import type { ConvertedRequest } from '../matching/convert-request.js';
import { AdmissionOrder } from '../order.js';
import { cleanMutated } from '../webhooks/clean-mutated.js';
import { patched } from '../webhooks/review.js';
import { CompiledPolicies } from './compiled-policies.js';
import type { Binding, CompiledPolicy } from './compiled-policies.js';
import { expandObjects } from './expand-objects.js';
import { findParams } from './find-params.js';
import { matchResources } from './match-policy.js';
import { compileExpression, evaluation } from './policy-environment.js';
import type { CompiledExpression } from './policy-environment.js';
import { policyDenial } from './validating-policies.js';

interface MutationRules {
  readonly mutations: readonly { readonly type: 'apply' | 'patch'; readonly program: CompiledExpression }[];
  readonly again: boolean;
}

const MANAGER = 'mutating-admission-policy';
const GROUP = 'admissionregistration.k8s.io';

/** MutatingAdmissionPolicy. */
export function mutatingPolicies(env: AdmissionEnv): AdmissionPlugin {
  const policies = new CompiledPolicies<MutationRules>(
    env,
    { policies: 'mutatingadmissionpolicies', bindings: 'mutatingadmissionpolicybindings' },
    compileRules,
    expandObjects,
  );
  return {
    name: 'MutatingAdmissionPolicy',
    order: AdmissionOrder.mutatingAdmissionPolicy,
    handles: ({ resource, operation }) => operation !== 'DELETE' && operation !== 'CONNECT' && policies.get().length > 0 && resource.group !== GROUP,
    async admit(request) {
      const list = policies.get();
      const seen = new Map<CompiledPolicy<MutationRules>, unknown>();
      for (const policy of list) {
        await apply(env, policy, request);
        seen.set(policy, structuredClone(request.object));
      }
      // Policies that ask for it see what later ones have made of the object.
      for (const policy of list) if (policy.rules.again && !deepEqual(seen.get(policy), request.object)) await apply(env, policy, request);
    },
  };
}

function compileRules(spec: NonNullable<KubeObject['spec']>): MutationRules {
  const mutations = (spec.mutations ?? []) as { patchType: string; applyConfiguration?: { expression?: string }; jsonPatch?: { expression?: string } }[];
  return {
    again: spec.reinvocationPolicy === 'IfNeeded',
    mutations: mutations.map(({ patchType, applyConfiguration: configuration, jsonPatch }) => {
      const type = patchType === 'JSONPatch' ? 'patch' : 'apply';
      const source = (type === 'patch' ? jsonPatch?.expression : configuration?.expression) ?? '';
      return { type, program: compileExpression(expandObjects(source)) };
    }),
  };
}

async function apply(env: AdmissionEnv, policy: CompiledPolicy<MutationRules>, request: AdmissionRequest): Promise<void> {
  const match = matchResources(policy.matchConstraints, request, env.registry, false);
  if (match.type === 'none') return;
  for (const binding of policy.bindings) {
    if (matchResources(binding.matchResources, request, env.registry, true).type === 'none') continue;
    try {
      const converted = await convertRequest(request, match, env.registry);
      await mutate(env, policy, binding, request, converted);
    } catch (error) {
      if (policy.failurePolicy === 'Ignore') continue;
      const text = error instanceof ApiError ? error.message : evaluationText(error);
      throw policyDenial(request, `MutatingAdmissionPolicy '${policy.name}' with binding '${binding.name}' denied request: ${text}`, text, 'Invalid');
    }
  }
}

async function mutate(
  env: AdmissionEnv,
  policy: CompiledPolicy<MutationRules>,
  binding: Binding,
  request: AdmissionRequest,
  converted: ConvertedRequest,
): Promise<void> {
  let object = converted.object;
  if (!object || !request.object) return;
  for (const param of findParams(env.registry, policy.paramKind, binding.paramRef, request)) {
    for (const { type, program } of policy.rules.mutations) {
      const seen: AdmissionRequest = {
        ...request,
        kind: converted.kind,
        resource: converted.resource,
        object,
        ...(converted.oldObject ? { oldObject: converted.oldObject } : {}),
      };
      const run = evaluation(env, seen, param, policy.variables);
      const outcome = await policy.conditions.evaluate(run.values);
      if (outcome.type === 'no match') break;
      if (outcome.type === 'error') throw new Error(outcome.message);
      if ('failed' in program) throw new Error(program.failed);
      const value = fromCel(await program.run(run.values, run.budget));
      object = type === 'patch' ? patched(object, value as readonly unknown[]) : merged(env, seen, object, value as Record<string, unknown>);
    }
  }
  const result = cleanMutated(env.registry, request, await converted.back(object));
  if (result.metadata.name !== request.object.metadata.name) throw new Error('metadata.name must not be changed');
  for (const key of Object.keys(request.object)) if (!(key in result)) delete request.object[key];
  Object.assign(request.object, result);
}

/** An apply configuration merged as server-side apply would, whoever owns the fields. */
function merged(env: AdmissionEnv, request: AdmissionRequest, object: KubeObject, configuration: Record<string, unknown>): KubeObject {
  const { group, version, resource } = request.resource;
  const served = env.registry.find(group, version, resource);
  if (!served) throw new Error(`${resource} is not served`);
  const { name, namespace, managedFields } = object.metadata;
  const metadata = { ...(configuration.metadata as object | undefined), ...(name ? { name } : {}), ...(namespace ? { namespace } : {}) };
  const patch = { ...configuration, apiVersion: object.apiVersion, kind: object.kind, metadata } as KubeObject;
  const { object: out } = applyConfiguration({
    ...fieldManagement(served, request.subresource),
    live: object,
    patch,
    manager: MANAGER,
    force: true,
    now: env.clock.now(),
  });
  const result = { ...out, metadata: { ...out.metadata } };
  if (managedFields) result.metadata.managedFields = managedFields;
  else delete result.metadata.managedFields;
  return result;
}
