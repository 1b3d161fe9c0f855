import type { AuthorizationAttributes, AuthorizationResult, Authorizer, Clock, Logger } from '@coxswain/sdk';
import { Budget, CelEnvironment, compile, evaluationText, type Program, RUNTIME_BUDGET, toCel } from '@coxswain/cel';
import { accessReview } from './access-review.js';
import type { AccessReview } from './access-review.js';
import type { ReviewClient } from './review-client.js';
import { TimedCache } from './timed-cache.js';

export interface AccessReviewOptions {
  readonly name: string;
  readonly client: Pick<ReviewClient, 'post'>;
  readonly version: 'v1' | 'v1beta1';
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What a question without an answer means. */
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  /** CEL over `request`, the spec of a v1 review. Asked only when all are true. Throws CompileError. */
  readonly matchConditions?: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const NO_OPINION: AuthorizationResult = { decision: 'no-opinion' };
let environment: CelEnvironment | undefined;

/** Asks somebody else by SubjectAccessReview, and remembers the answer for a while. */
export function accessReviewAuthorizer(options: AccessReviewOptions): Authorizer {
  const cache = new TimedCache<AuthorizationResult>(options.clock);
  environment ??= new CelEnvironment(['request']);
  const env = environment;
  const conditions = (options.matchConditions ?? []).map((expression) => compile(env, expression, 'bool'));
  return {
    name: options.name,
    authorize(attributes: AuthorizationAttributes): Promise<AuthorizationResult> | AuthorizationResult {
      const unmet = unmetBy(conditions, attributes, options);
      if (unmet) return unmet;
      const review = accessReview(attributes, options.version);
      const key = JSON.stringify(review.spec);
      const known = cache.get(key);
      if (known) return known;
      return cache
        .ask(
          key,
          async () => resultOf(await options.client.post<AccessReview>(review)),
          ({ decision }) => (decision === 'allow' ? options.authorizedTtlMs : options.unauthorizedTtlMs),
        )
        .catch((err: unknown) => failed(options, err as Error));
    },
  };
}

function resultOf({ status = {} }: AccessReview): AuthorizationResult {
  const reason = status.reason ? { reason: status.reason } : {};
  if (status.denied && status.allowed) return { decision: 'deny', reason: 'the webhook both allows and denies' };
  if (status.denied) return { decision: 'deny', ...reason };
  if (status.allowed) return { decision: 'allow', ...reason };
  return { decision: 'no-opinion', reason: status.reason || status.evaluationError || '' };
}

function failed({ name, failurePolicy, logger }: AccessReviewOptions, err: Error): AuthorizationResult {
  logger.warn('an authorization webhook failed', { authorizer: name, err });
  return failurePolicy === 'Deny' ? { decision: 'deny', reason: `webhook ${JSON.stringify(name)} failed` } : NO_OPINION;
}

/** A condition that is false: none of this webhook's business. One that fails: the failure policy's, unless another is false. */
function unmetBy(conditions: readonly Program[], attributes: AuthorizationAttributes, options: AccessReviewOptions): AuthorizationResult | undefined {
  if (conditions.length === 0) return undefined;
  const request = toCel(accessReview(attributes, 'v1').spec);
  const budget = new Budget(RUNTIME_BUDGET / 4);
  let failure: Error | undefined;
  for (const condition of conditions) {
    try {
      if (condition.run({ request }, budget) !== true) return NO_OPINION;
    } catch (error) {
      failure ??= new Error(`match condition ${JSON.stringify(condition.source)}: ${evaluationText(error)}`, { cause: error });
    }
  }
  return failure ? failed(options, failure) : undefined;
}
