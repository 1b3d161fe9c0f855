import { expect, expectTypeOf, test } from 'vitest';
import type { KubeObject, Lease, Pod } from './index.js';

test('typed objects are KubeObjects and back', () => {
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', managedFields: [{ fieldsV1: {} }] } };
  const generic: KubeObject = pod;
  const back: Pod = generic;
  expect(back.metadata.name).toBe('a');
  expectTypeOf<Lease>().toExtend<KubeObject>();
});
