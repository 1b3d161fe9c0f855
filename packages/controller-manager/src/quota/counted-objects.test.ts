import { expect, it } from 'vitest';
import { countedResource } from './counted-objects.js';

it('only what upstream counts by number is counted, never what is measured', () => {
  const of = (...names: string[]) => names.map(countedResource);
  expect(of('secrets', 'count/secrets', 'count/replicasets.apps', 'count/widgets.example.com')).toEqual([
    'secrets',
    'secrets',
    'replicasets.apps',
    'widgets.example.com',
  ]);
  expect(of('requests.example.com/dongle', 'services.nodeports', 'gold.storageclass.storage.k8s.io/requests.storage', 'cpu', 'pods', 'count/pods')).toEqual(
    new Array(6).fill(undefined),
  );
});
