import {
  localSubjectAccessReviewStrategy,
  selfSubjectAccessReviewStrategy,
  selfSubjectRulesReviewStrategy,
  subjectAccessReviewStrategy,
} from '../../strategies/authorization.js';
import { defineGroup, type Row } from '../define.js';

const virtual = { namespaced: false, verbs: ['create'] } satisfies Partial<Row>;

export const authorization = defineGroup('authorization.k8s.io', 'v1', 'io.k8s.api.authorization.v1', [
  {
    ...virtual,
    kind: 'LocalSubjectAccessReview',
    resource: 'localsubjectaccessreviews',
    namespaced: true,
    virtual: 'localsubjectaccessreview',
    strategy: localSubjectAccessReviewStrategy,
  },
  {
    ...virtual,
    kind: 'SelfSubjectAccessReview',
    resource: 'selfsubjectaccessreviews',
    virtual: 'selfsubjectaccessreview',
    strategy: selfSubjectAccessReviewStrategy,
  },
  {
    ...virtual,
    kind: 'SelfSubjectRulesReview',
    resource: 'selfsubjectrulesreviews',
    virtual: 'selfsubjectrulesreview',
    strategy: selfSubjectRulesReviewStrategy,
  },
  {
    ...virtual,
    kind: 'SubjectAccessReview',
    resource: 'subjectaccessreviews',
    virtual: 'subjectaccessreview',
    strategy: subjectAccessReviewStrategy,
  },
]);
