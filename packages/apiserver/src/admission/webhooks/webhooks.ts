import type { KubeObject, LabelSelector } from '@coxswain/api';
import { ApiError, deepEqual, isNotFound } from '@coxswain/apimachinery';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { type WebhookClient, WebhookError } from '../../webhooks/webhook-client.js';
import type { WebhookClientConfig } from '../../webhooks/webhook-client.js';
import type { AdmissionEnv } from '../admission-env.js';
import { admissionVariables } from '../matching/admission-variables.js';
import { convertRequest } from '../matching/convert-request.js';
import { conditionEnvironment, MatchConditions } from '../matching/match-conditions.js';
import type { MatchCondition } from '../matching/match-conditions.js';
import { matchRules } from '../matching/match-rules.js';
import type { Match, Rule } from '../matching/match-rules.js';
import { matchesNamespace, matchesObject } from '../matching/match-selectors.js';
import { AdmissionOrder } from '../order.js';
import { cleanMutated } from './clean-mutated.js';
import { denial, patched, reviewAnswer, reviewRequest } from './review.js';
import type { ReviewAnswer, ReviewVersion } from './review.js';

const GROUP = 'admissionregistration.k8s.io';
const SECOND = 1000;

/** One entry of a webhook configuration. */
interface Webhook {
  readonly name: string;
  readonly configuration: string;
  readonly clientConfig: WebhookClientConfig;
  readonly rules?: readonly Rule[];
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions?: readonly string[];
  readonly matchConditions?: readonly MatchCondition[];
  readonly reinvocationPolicy?: string;
  readonly conditions: MatchConditions;
}

/** The webhooks of one kind of configuration, by configuration name; read again when one changes. */
class WebhookList {
  #changes = -1;
  #webhooks: readonly Webhook[] = [];

  constructor(
    readonly env: AdmissionEnv,
    readonly resource: string,
  ) {}

  get(): readonly Webhook[] {
    const { cache } = this.env.registry.storage(GROUP, this.resource);
    if (cache.changes === this.#changes) return this.#webhooks;
    this.#changes = cache.changes;
    this.#webhooks = cache.all().flatMap(({ name, object }) =>
      ((object.webhooks ?? []) as Webhook[]).map((webhook) => ({
        ...webhook,
        configuration: name,
        conditions: new MatchConditions(webhook.matchConditions ?? [], conditionEnvironment()),
      })),
    );
    return this.#webhooks;
  }
}

/** Configurations of admission are out of reach of what they configure. */
const EXEMPT = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
]);

const isExempt = ({ resource }: AdmissionRequest): boolean => resource.group === GROUP && EXEMPT.has(resource.resource);

/** MutatingAdmissionWebhook and ValidatingAdmissionWebhook. */
export function admissionWebhooks(env: AdmissionEnv, client: WebhookClient): AdmissionPlugin[] {
  const mutating = new WebhookList(env, 'mutatingwebhookconfigurations');
  const validating = new WebhookList(env, 'validatingwebhookconfigurations');
  return [
    {
      name: 'MutatingAdmissionWebhook',
      order: AdmissionOrder.mutatingWebhook,
      handles: (request) => mutating.get().length > 0 && !isExempt(request),
      admit: (request, signal) => mutate(env, client, mutating.get(), request, signal),
    },
    {
      name: 'ValidatingAdmissionWebhook',
      order: AdmissionOrder.validatingWebhook,
      handles: (request) => validating.get().length > 0 && !isExempt(request),
      validate: (request, signal) => validate(env, client, validating.get(), request, signal),
    },
  ];
}

/** One after the other; who asked for it sees the object again when others have changed it since. */
async function mutate(env: AdmissionEnv, client: WebhookClient, webhooks: readonly Webhook[], request: AdmissionRequest, signal: AbortSignal): Promise<void> {
  const called = new Map<Webhook, KubeObject | undefined>();
  for (const webhook of webhooks) await callMutating(env, client, webhook, request, signal, called, 0);
  for (const [webhook, seen] of [...called]) {
    if (webhook.reinvocationPolicy !== 'IfNeeded' || deepEqual(seen, request.object)) continue;
    await callMutating(env, client, webhook, request, signal, called, 1);
  }
}

async function callMutating(
  env: AdmissionEnv,
  client: WebhookClient,
  webhook: Webhook,
  request: AdmissionRequest,
  signal: AbortSignal,
  called: Map<Webhook, KubeObject | undefined>,
  round: number,
): Promise<void> {
  const match = await applies(env, webhook, request);
  if (!match) return;
  const answer = await ask(env, client, webhook, request, match, true, signal);
  if (!answer) return;
  let changed = false;
  if (answer.patch && answer.patch.length > 0 && request.object) {
    try {
      const converted = await convertRequest(request, match, env.registry);
      const result = await converted.back(patched(converted.object as KubeObject, answer.patch));
      changed = !deepEqual(result, request.object);
      if (changed) replace(request.object, cleanMutated(env.registry, request, result));
    } catch (error) {
      if (webhook.failurePolicy === 'Ignore') return;
      if (error instanceof ApiError && error.code === 422) throw error;
      throw ApiError.internalError((error as Error).message);
    }
  }
  request.audit(
    `mutation.webhook.admission.k8s.io/round_${round}_index_0`,
    JSON.stringify({ configuration: webhook.configuration, webhook: webhook.name, mutated: changed }),
  );
  called.set(webhook, request.object ? structuredClone(request.object) : undefined);
}

/** The plugins share the object: its members change, not it. */
function replace(object: KubeObject, by: KubeObject): void {
  for (const key of Object.keys(object)) if (!(key in by)) delete object[key];
  Object.assign(object, by);
}

/** All at once; the first refusal in order counts. */
async function validate(env: AdmissionEnv, client: WebhookClient, webhooks: readonly Webhook[], request: AdmissionRequest, signal: AbortSignal): Promise<void> {
  const outcomes = await Promise.allSettled(
    webhooks.map(async (webhook) => {
      const match = await applies(env, webhook, request);
      if (match) await ask(env, client, webhook, request, match, false, signal);
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Whether this webhook is to be asked: rules, selectors, conditions. */
async function applies(env: AdmissionEnv, webhook: Webhook, request: AdmissionRequest): Promise<Match | undefined> {
  const match = matchRules(webhook.rules ?? [], webhook.matchPolicy, request, env.registry);
  if (match.type === 'none') return undefined;
  try {
    if (!matchesNamespace(webhook.namespaceSelector, request, env.registry)) return undefined;
  } catch (error) {
    // The namespace may go while its last objects are deleted.
    if (isNotFound(error) && request.operation === 'DELETE') return undefined;
    throw error;
  }
  if (!matchesObject(webhook.objectSelector, request)) return undefined;
  if (!webhook.matchConditions?.length) return match;
  const { object, oldObject, kind, resource } = await convertRequest(request, match, env.registry);
  const outcome = await webhook.conditions.evaluate(
    admissionVariables({ ...request, kind, resource, ...(object ? { object } : {}), ...(oldObject ? { oldObject } : {}) }, env.authorization),
  );
  switch (outcome.type) {
    case 'match':
      return match;
    case 'no match':
      return undefined;
    case 'error':
      if (webhook.failurePolicy === 'Ignore') return undefined;
      throw ApiError.forbidden({ group: request.resource.group, resource: request.resource.resource }, request.name, outcome.message);
  }
}

/** The answer of a webhook that allows; undefined when it could not be asked and that is to be passed over. Throws its refusal. */
async function ask(
  env: AdmissionEnv,
  client: WebhookClient,
  webhook: Webhook,
  request: AdmissionRequest,
  match: Match,
  mutating: boolean,
  signal: AbortSignal,
): Promise<ReviewAnswer | undefined> {
  if (request.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') {
    throw ApiError.badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
  }
  let answer: ReviewAnswer;
  try {
    const version = (webhook.admissionReviewVersions ?? []).find((each): each is ReviewVersion => each === 'v1' || each === 'v1beta1');
    if (!version) throw new WebhookError('webhook does not accept known AdmissionReview versions (v1, v1beta1)');
    const uid = env.random.uuid();
    const review = reviewRequest(version, uid, request, await convertRequest(request, match, env.registry));
    answer = reviewAnswer(version, uid, mutating, await client.post(webhook.clientConfig, review, (webhook.timeoutSeconds ?? 10) * SECOND, signal));
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    const text = `failed calling webhook ${JSON.stringify(webhook.name)}: ${error.message}`;
    if (webhook.failurePolicy !== 'Ignore') throw ApiError.internalError(text);
    request.audit(`failed-open.${mutating ? 'mutating' : 'validating'}.webhook.admission.k8s.io/round_0_index_0`, webhook.name);
    return undefined;
  }
  for (const warning of answer.warnings) request.warn(warning);
  for (const [key, value] of Object.entries(answer.auditAnnotations)) request.audit(`${webhook.name}/${key}`, value);
  if (!answer.allowed) throw denial(webhook.name, answer.status);
  return answer;
}
