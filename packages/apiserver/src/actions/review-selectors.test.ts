import type { AuthorizationAttributes, Authorizer } from '@coxswain/sdk';
import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';

const PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

it('access reviews carry selectors to authorizers, whole or not at all', async () => {
  const seen: AuthorizationAttributes[] = [];
  const authorizer: Authorizer = {
    name: 'spy',
    authorize(attributes) {
      seen.push(attributes);
      return { decision: 'allow' };
    },
  };
  await using api = await startTestServer({ authorizationModes: [authorizer] });
  const review = async (selectors: object) => {
    const resourceAttributes = { verb: 'list', version: 'v1', resource: 'pods', ...selectors };
    const answer = await api.call('POST', PATH, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'bob', resourceAttributes },
    });
    return { answer, target: seen.at(-1)?.target };
  };
  const apart = await review({
    fieldSelector: {
      requirements: [
        { key: 'spec.nodeName', operator: 'In', values: ['n1'] },
        { key: 'x', operator: 'Unknown', values: ['y'] },
      ],
    },
    labelSelector: {
      requirements: [
        { key: 'a', operator: 'In', values: ['b', 'c'] },
        { key: 'd', operator: 'DoesNotExist' },
      ],
    },
  });
  expect(apart.answer.status, apart.answer.text).toBe(201);
  expect(apart.target).toMatchObject({ fieldSelector: 'spec.nodeName=n1', labelSelector: 'a in (b,c),!d' });
  expect((await review({ fieldSelector: { rawSelector: 'spec.nodeName=n1' }, labelSelector: { rawSelector: '((' } })).target).toMatchObject({
    fieldSelector: 'spec.nodeName=n1',
  });
  expect(seen.at(-1)?.target).not.toHaveProperty('labelSelector');
  const both = await review({ fieldSelector: { rawSelector: 'a=b', requirements: [{ key: 'a', operator: 'In', values: ['b'] }] } });
  expect(both.answer.status).toBe(422);
  expect(both.answer.json.details.causes[0].field).toBe('spec.resourceAttributes.fieldSelector.rawSelector');
  expect((await review({ labelSelector: {} })).answer.status).toBe(422);
});
