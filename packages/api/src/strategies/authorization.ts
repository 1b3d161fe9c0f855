import type { LocalSubjectAccessReview, SelfSubjectAccessReview, SubjectAccessReview } from '../generated/types.js';
import { validateLocalSubjectAccessReview, validateSelfSubjectAccessReview, validateSubjectAccessReview } from '../validation/authorization.js';
import type { StrategyParts } from './lifecycle.js';

export const subjectAccessReviewStrategy: StrategyParts = {
  validate: (object) => validateSubjectAccessReview(object as SubjectAccessReview),
};

export const localSubjectAccessReviewStrategy: StrategyParts = {
  validate: (object) => validateLocalSubjectAccessReview(object as LocalSubjectAccessReview),
};

export const selfSubjectAccessReviewStrategy: StrategyParts = {
  validate: (object) => validateSelfSubjectAccessReview(object as SelfSubjectAccessReview),
};

export const selfSubjectRulesReviewStrategy: StrategyParts = {};
