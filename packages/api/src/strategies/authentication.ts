import type { KubeObject } from '../definition.js';
import type { TokenReview } from '../generated/types.js';
import { required } from '../validation/errors.js';
import type { StrategyParts } from './lifecycle.js';

/** A review is answered, never stored, so its name is not asked for: `metadata` is not checked. */
export const tokenReviewStrategy: StrategyParts = {
  validate: (object: KubeObject) => ((object as TokenReview).spec?.token ? [] : [required('spec.token')]),
};

export const selfSubjectReviewStrategy: StrategyParts = {};
