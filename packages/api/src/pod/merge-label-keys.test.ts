import { expect, test } from 'vitest';
import { admit, updateStatus } from '../testing/admit.js';

const pod = (spec: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', labels: { app: 'web', hash: '1' } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const affinity = (term: object) => pod({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 't', ...term }] } } });
const spread = (constraint: object) =>
  pod({ topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 't', whenUnsatisfiable: 'ScheduleAnyway', ...constraint }] });
const terms = (object: ReturnType<typeof admit>['object']) => object.spec?.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution;
const labelSelector = { matchLabels: { x: 'y' } };

test('labels of the pod that label keys name become a part of the selector beside them', () => {
  const { object, errors } = admit(affinity({ labelSelector, matchLabelKeys: ['hash', 'other'], mismatchLabelKeys: ['app'] }));
  expect(errors).toEqual([]);
  expect(terms(object)[0].labelSelector.matchExpressions).toEqual([
    { key: 'hash', operator: 'In', values: ['1'] },
    { key: 'app', operator: 'NotIn', values: ['web'] },
  ]);
  const { object: evenly } = admit(spread({ labelSelector, matchLabelKeys: ['hash'] }));
  expect(evenly.spec?.topologySpreadConstraints[0].labelSelector.matchExpressions).toEqual([{ key: 'hash', operator: 'In', values: ['1'] }]);
});

test('a key is given once', () => {
  const at = 'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]';
  expect(admit(affinity({ labelSelector: { matchLabels: { hash: '1' } }, matchLabelKeys: ['hash'] })).errors).toEqual([
    `${at}[0]: Invalid value: "hash": exists in both matchLabelKeys and labelSelector`,
  ]);
  expect(admit(affinity({ labelSelector, matchLabelKeys: ['q'], mismatchLabelKeys: ['q'] })).errors).toEqual([
    `${at}.matchLabelKeys[0]: Invalid value: "q": exists in both matchLabelKeys and mismatchLabelKeys`,
  ]);
  expect(admit(spread({ labelSelector: { matchExpressions: [{ key: 'hash', operator: 'Exists' }] }, matchLabelKeys: ['hash'] })).errors).toEqual([
    'spec.topologySpreadConstraints[0][0]: Invalid value: "hash": exists in both matchLabelKeys and labelSelector',
  ]);
});

test('a status that names no observed generation keeps the ones it had', () => {
  const condition = (observedGeneration?: number) => ({ type: 'Ready', status: 'True', ...(observedGeneration && { observedGeneration }) });
  const first = updateStatus(admit(pod({})).object, (it) => void (it.status = { observedGeneration: 3, conditions: [condition(3)] }));
  const second = updateStatus(first.object, (it) => void (it.status = { conditions: [condition(), { type: 'Other', status: 'True' }] }));
  expect(second.object.status).toMatchObject({ observedGeneration: 3, conditions: [condition(3), { type: 'Other', status: 'True' }] });
});
