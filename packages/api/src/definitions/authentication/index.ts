import { selfSubjectReviewStrategy, tokenReviewStrategy } from '../../strategies/authentication.js';
import { defineGroup } from '../define.js';

export const authentication = defineGroup('authentication.k8s.io', 'v1', 'io.k8s.api.authentication.v1', [
  {
    kind: 'SelfSubjectReview',
    resource: 'selfsubjectreviews',
    namespaced: false,
    verbs: ['create'],
    virtual: 'selfsubjectreview',
    strategy: selfSubjectReviewStrategy,
  },
  {
    kind: 'TokenReview',
    resource: 'tokenreviews',
    namespaced: false,
    verbs: ['create'],
    virtual: 'tokenreview',
    strategy: tokenReviewStrategy,
  },
]);
