import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@coxswain/sdk';
import { FakeClock } from '@coxswain/sdk-testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullCredential } from './credentials.js';
import { parseImageName } from './image-name.js';
import { PullRecords } from './pull-records.js';
import { allowlistProblem, mustVerify, type VerificationMode } from './verification-policy.js';

const image = parseImageName('registry.test/team/app:1')!;
const secret = (name: string, password = 'p'): PullCredential => ({
  source: { uid: `uid-${name}`, namespace: 'ns', name },
  auth: { username: 'u', password, auth: '', identityToken: '', registryToken: '', serverAddress: 'registry.test' },
});
const has =
  (...own: PullCredential[]) =>
  async () =>
    own;

describe('who may use an image that a kubelet has pulled', () => {
  let dir: string;
  const clock = new FakeClock();
  const open = (mode: VerificationMode = 'NeverVerifyPreloadedImages') => PullRecords.open(dir, { mode, allowlist: [] }, clock, silentLogger);
  beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'pull-records-'))));
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('everybody, where no credentials were needed or it was there before', async () => {
    const records = await open();
    expect(await records.mustPull(image, 'id', has())).toBe(false);
    await records.begin(image.name);
    await records.succeeded(image, 'id', undefined);
    expect(await records.mustPull(image, 'id', has())).toBe(false);
    expect(await records.mustPull(parseImageName('other.test/team/app')!, 'id', has())).toBe(true);
  });

  it('who has the secret it was pulled with, or one that says the same, also after a restart', async () => {
    const first = await open();
    await first.begin(image.name);
    await first.succeeded(image, 'id', secret('a'));
    expect(await readdir(join(dir, 'pulling'))).toEqual([]);
    const [file = ''] = await readdir(join(dir, 'pulled'));
    const text = await readFile(join(dir, 'pulled', file), 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      kind: 'ImagePulledRecord',
      imageRef: 'id',
      credentialMapping: { 'registry.test/team/app': { kubernetesSecrets: [{ uid: 'uid-a', namespace: 'ns', name: 'a' }] } },
    });
    expect(text).not.toContain('"p"');
    const records = await open();
    expect(await records.mustPull(image, 'id', has())).toBe(true);
    expect(await records.mustPull(image, 'id', has(secret('b', 'other')))).toBe(true);
    expect(await records.mustPull(image, 'id', has(secret('b', 'other'), secret('c')))).toBe(false);
    // Changed since: it is the same secret.
    expect(await records.mustPull(image, 'id', has(secret('a', 'new')))).toBe(false);
    expect(await records.mustPull(image, 'id', has(secret('d', 'new')))).toBe(false);
  });

  it('nobody without asking, where the kubelet died in the middle of the pull', async () => {
    await (await open()).begin(image.name);
    const records = await open();
    expect(await records.mustPull(image, 'id', has(secret('a')))).toBe(true);
    await records.failed(image.name);
    expect(await records.mustPull(image, 'id', has())).toBe(false);
  });

  it('is forgotten with the image, but not what came meanwhile', async () => {
    const records = await open();
    for (const id of ['old', 'kept']) await records.succeeded(image, id, secret('a'));
    await clock.advance(1000);
    await records.succeeded(image, 'new', secret('a'));
    await records.prune(new Set(['kept']), clock.now());
    expect(await Promise.all(['old', 'kept', 'new'].map((id) => records.mustPull(image, id, has())))).toEqual([false, true, true]);
  });
});

it.each([
  ['NeverVerify', [], true, false],
  ['NeverVerifyPreloadedImages', [], false, false],
  ['NeverVerifyPreloadedImages', [], true, true],
  ['NeverVerifyAllowlistedImages', ['registry.test/team/*'], true, false],
  ['NeverVerifyAllowlistedImages', ['registry.test/team/app'], true, false],
  ['NeverVerifyAllowlistedImages', ['registry.test/team'], true, true],
  ['AlwaysVerify', [], false, true],
] as const)('%s %j, pulled by the kubelet %s: verified %s', (mode, allowlist, byKubelet, expected) =>
  expect(mustVerify({ mode, allowlist }, image, byKubelet)).toBe(expected),
);

it.each([
  ['registry.test/a', undefined],
  ['registry.test/*', undefined],
  [' registry.test', /spaces/],
  ['/*', /registry hostname/],
  ['*', /valid wildcard/],
  ['registry.test/a:1', /neither tag nor digest/],
  ['busybox', /neither tag nor digest/],
])('the pattern %j of an allowlist', (pattern, problem) =>
  problem ? expect(allowlistProblem(pattern)).toMatch(problem) : expect(allowlistProblem(pattern)).toBeUndefined(),
);
