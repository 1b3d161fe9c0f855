import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod, Secret } from '@coxswain/api';
import { type ImageServiceClient, RpcError } from '@coxswain/cri';
import { silentLogger } from '@coxswain/sdk';
import { FakeClock } from '@coxswain/sdk-testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ImageManager } from './image-manager.js';
import { PullRecords } from './pull-records.js';

const NAME = 'registry.test/app:1';
const auths = { 'registry.test': { username: 'u', password: 'p' } };
const pullSecret: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'ns', uid: 'uid-s' },
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
};
let dir: string;
let events: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'image-manager-'));
  events = [];
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A registry that wants a password, and pods of which `with-secret` has it. */
async function manager() {
  let present = false;
  const clock = new FakeClock();
  const client = {
    imageStatus: async () => (present ? { image: { id: 'id', size: 5n, repoTags: [NAME], repoDigests: [] } } : {}),
    pullImage: async ({ auth }: { auth?: { password: string } }) => {
      if (auth?.password !== 'p') throw new RpcError('permissionDenied', 'authorization failed');
      present = true;
      return { imageRef: 'id' };
    },
  } as unknown as ImageServiceClient;
  const records = await PullRecords.open(dir, { mode: 'NeverVerifyPreloadedImages', allowlist: [] }, clock, silentLogger);
  const images = new ImageManager(
    {
      image: client,
      clock,
      events: { pod: (_pod, _type, reason, message) => void events.push(`${reason}: ${message}`), node: () => {} },
      pullSecrets: async (pod) => (pod.metadata?.name === 'with-secret' ? [pullSecret] : []),
      records,
    },
    { backoff: { initialMs: 1, maxMs: 1 }, presenceMs: 0 },
  );
  return (name: string, imagePullPolicy = 'IfNotPresent') => {
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, uid: name } };
    return images.ensure(pod, { name: 'c', image: NAME, imagePullPolicy }, undefined, '', new AbortController().signal);
  };
}

it('a pod without the secret that an image was pulled with has to pull it itself', async () => {
  const ensure = await manager();
  await ensure('with-secret');
  await ensure('with-secret');
  expect(events.at(-1)).toBe(`Pulled: Container image "${NAME}" already present on machine and can be accessed by the pod`);
  await expect(ensure('without')).rejects.toMatchObject({ reason: 'ErrImagePull', message: 'rpc error: code = PermissionDenied desc = authorization failed' });
  await expect(ensure('never', 'Never')).rejects.toMatchObject({
    reason: 'ErrImageNeverPull',
    message: `Container image "${NAME}" is present with pull policy of Never but does not have the proper auth (image secret) that was used to pull the image`,
  });
  await expect(ensure('with-secret', 'Never')).resolves.toMatchObject({ id: 'id' });
});
