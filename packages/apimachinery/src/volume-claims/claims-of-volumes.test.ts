import { expect, test } from 'vitest';
import { claimOfVolume, claimsOfVolumes } from './claims-of-volumes.js';

test('a volume stands for the claim it names, or for one named after pod and volume', () => {
  const metadata = { name: 'web' };
  const named = { name: 'data', persistentVolumeClaim: { claimName: 'disk' } };
  const ephemeral = { name: 'scratch', ephemeral: {} };
  const other = { name: 'tmp', emptyDir: {} };
  expect([named, ephemeral, other].map((volume) => claimOfVolume({ metadata }, volume))).toEqual(['disk', 'web-scratch', undefined]);
  expect(claimsOfVolumes({ metadata, spec: { containers: [], volumes: [other, ephemeral, named] } })).toEqual(['web-scratch', 'disk']);
  expect(claimsOfVolumes({ metadata })).toEqual([]);
});
