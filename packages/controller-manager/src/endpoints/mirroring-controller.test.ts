import { expect, test } from 'vitest';
import { mirroredAnnotations } from './mirroring-controller.js';

test('a mirror has the annotations of its Endpoints, but not those about the object itself', () => {
  const own = { 'endpoints.kubernetes.io/last-change-trigger-time': 't', 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
  expect(mirroredAnnotations({ ...own, a: 'b' })).toEqual({ a: 'b' });
  expect(mirroredAnnotations(undefined)).toEqual({});
});
