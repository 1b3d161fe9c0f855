import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { evaluationText } from '@coxswain/cel';
import type { AdmissionEnv } from '../admission-env.js';
import { convertRequest } from '../matching/convert-request.js';
import type { Match } from '../matching/match-rules.js';
import { AdmissionOrder } from '../order.js';
import { CompiledPolicies } from './compiled-policies.js';
import type { Binding, CompiledPolicy } from './compiled-policies.js';
import { findParams } from './find-params.js';
import { matchResources } from './match-policy.js';
import { compileExpression, evaluation } from './policy-environment.js';
import type { CompiledExpression, Evaluation } from './policy-environment.js';

interface CompiledValidation {
  readonly expression: string;
  readonly program: CompiledExpression;
  readonly message: string | undefined;
  readonly messageProgram: CompiledExpression | undefined;
  readonly reason: string | undefined;
}

interface ValidationRules {
  readonly validations: readonly CompiledValidation[];
  readonly auditAnnotations: readonly { readonly key: string; readonly program: CompiledExpression }[];
}

/** Why a policy says no. */
interface Failure {
  readonly message: string;
  readonly reason?: string;
  readonly expressionIndex?: number;
}

const CODES: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 };
const GROUP = 'admissionregistration.k8s.io';

/** ValidatingAdmissionPolicy. */
export function validatingPolicies(env: AdmissionEnv): AdmissionPlugin {
  const policies = new CompiledPolicies<ValidationRules>(
    env,
    { policies: 'validatingadmissionpolicies', bindings: 'validatingadmissionpolicybindings' },
    compileRules,
  );
  return {
    name: 'ValidatingAdmissionPolicy',
    order: AdmissionOrder.validatingAdmissionPolicy,
    handles: ({ resource }) => policies.get().length > 0 && !(resource.group === GROUP && /policies$|policybindings$/.test(resource.resource)),
    async validate(request) {
      for (const policy of policies.get()) await enforce(env, policy, request);
    },
  };
}

function compileRules(spec: NonNullable<KubeObject['spec']>): ValidationRules {
  const validations = (spec.validations ?? []) as { expression: string; message?: string; messageExpression?: string; reason?: string }[];
  const annotations = (spec.auditAnnotations ?? []) as { key: string; valueExpression: string }[];
  return {
    validations: validations.map(({ expression, message, messageExpression, reason }) => ({
      expression,
      program: compileExpression(expression, 'bool'),
      message: message?.trim() || undefined,
      messageProgram: messageExpression ? compileExpression(messageExpression, 'string') : undefined,
      reason,
    })),
    auditAnnotations: annotations.map(({ key, valueExpression }) => ({ key, program: compileExpression(valueExpression) })),
  };
}

async function enforce(env: AdmissionEnv, policy: CompiledPolicy<ValidationRules>, request: AdmissionRequest): Promise<void> {
  const match = matchResources(policy.matchConstraints, request, env.registry, false);
  if (match.type === 'none') return;
  for (const binding of policy.bindings) {
    if (matchResources(binding.matchResources, request, env.registry, true).type === 'none') continue;
    for (const failure of await evaluate(env, policy, binding, await asSeen(env, request, match))) report(policy, binding, request, failure);
  }
}

/** In the version the policy speaks of. */
async function asSeen(env: AdmissionEnv, request: AdmissionRequest, match: Match): Promise<AdmissionRequest> {
  const { kind, resource, object, oldObject } = await convertRequest(request, match, env.registry);
  return { ...request, kind, resource, ...(object ? { object } : {}), ...(oldObject ? { oldObject } : {}) };
}

async function evaluate(env: AdmissionEnv, policy: CompiledPolicy<ValidationRules>, binding: Binding, request: AdmissionRequest): Promise<Failure[]> {
  const refused = (message: string): Failure[] => (policy.failurePolicy === 'Ignore' ? [] : [{ message }]);
  let params: readonly (KubeObject | undefined)[];
  try {
    params = findParams(env.registry, policy.paramKind, binding.paramRef, request);
  } catch (error) {
    return refused(`failed to configure binding: ${(error as Error).message}`);
  }
  const failures: Failure[] = [];
  for (const param of params) {
    const run = evaluation(env, request, param, policy.variables);
    const outcome = await policy.conditions.evaluate(run.values);
    if (outcome.type === 'no match') continue;
    if (outcome.type === 'error') {
      failures.push(...refused(outcome.message));
      continue;
    }
    for (const [index, validation] of policy.rules.validations.entries()) {
      const failure = await check(validation, run, policy.failurePolicy);
      if (failure) failures.push({ ...failure, expressionIndex: index });
    }
    await annotate(policy, request, run);
  }
  return failures;
}

async function check(validation: CompiledValidation, run: Evaluation, failurePolicy: 'Fail' | 'Ignore'): Promise<Failure | undefined> {
  const { program, expression } = validation;
  if ('failed' in program) return failurePolicy === 'Ignore' ? undefined : { message: program.failed };
  try {
    const value = await program.run(run.values, run.budget);
    if (value === true) return undefined;
    const reason = validation.reason ? { reason: validation.reason } : {};
    return { message: await messageOf(validation, run), ...reason };
  } catch (error) {
    return failurePolicy === 'Ignore' ? undefined : { message: `expression '${expression.trim()}' resulted in error: ${evaluationText(error)}` };
  }
}

async function messageOf({ message, messageProgram, expression }: CompiledValidation, run: Evaluation): Promise<string> {
  if (messageProgram && !('failed' in messageProgram)) {
    try {
      const text = await messageProgram.run(run.values, run.budget);
      if (typeof text === 'string' && text.trim() !== '' && !/[\r\n]/.test(text.trim()) && text.length <= 5 * 1024) return text.trim();
    } catch {
      // The plain message stands in.
    }
  }
  return message ?? `failed expression: ${expression.trim()}`;
}

async function annotate(policy: CompiledPolicy<ValidationRules>, request: AdmissionRequest, run: Evaluation): Promise<void> {
  for (const { key, program } of policy.rules.auditAnnotations) {
    if ('failed' in program) continue;
    try {
      const value = await program.run(run.values, run.budget);
      if (typeof value === 'string' && value.trim() !== '') request.audit(`${policy.name}/${key}`, value.trim());
    } catch (error) {
      request.audit(`${policy.name}/${key}`, `error: ${evaluationText(error)}`);
    }
  }
}

function report(policy: CompiledPolicy<unknown>, binding: Binding, request: AdmissionRequest, failure: Failure): void {
  const { message } = failure;
  const names = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}'`;
  for (const action of binding.validationActions) {
    if (action === 'Warn') request.warn(`Validation failed for ${names}: ${message}`);
    if (action === 'Audit') {
      const entry = {
        message,
        policy: policy.name,
        binding: binding.name,
        expressionIndex: failure.expressionIndex ?? 0,
        validationActions: binding.validationActions,
      };
      request.audit('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([entry]));
    }
  }
  if (!binding.validationActions.includes('Deny')) return;
  throw policyDenial(request, `${names} denied request: ${message}`, message, failure.reason ?? 'Invalid');
}

export function policyDenial(request: AdmissionRequest, text: string, cause: string, reason: string): ApiError {
  const { status } = ApiError.forbidden({ group: request.resource.group, resource: request.resource.resource }, request.name, text);
  return new ApiError({
    ...status,
    reason: reason as typeof status.reason & string,
    code: CODES[reason] ?? 422,
    details: { ...status.details, causes: [{ message: cause }] },
  });
}
