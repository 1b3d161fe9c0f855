import { Clock, CriServer, Logger, Random, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { daemonConfig } from './dockerd/daemon-config.js';
import { pullError } from './images/pull-progress.js';
import { registryAuth } from './images/registry-auth.js';
import { dockershim } from './index.js';
import { nanoseconds } from './times.js';

it('binds a CRI server without starting anything', async () => {
  const container = new Container();
  container.bind(Clock).toConstantValue(systemClock);
  container.bind(Logger).toConstantValue(silentLogger);
  container.bind(Random).toConstantValue(systemRandom);
  const checked = await dockershim.config['~standard'].validate({ endpoint: 'unix:///x.sock', engineSocket: '/d.sock', root: '/r', state: '/s' });
  if (checked.issues) throw new Error(JSON.stringify(checked.issues));
  await container.load(dockershim.module(checked.value));
  expect(await container.getAsync(CriServer)).toMatchObject({ endpoint: 'unix:///x.sock', name: 'dockershim' });
  expect(Object.isFrozen(dockershim)).toBe(true);
});

it('reports every missing and unknown setting', async () => {
  const { issues } = await dockershim.config['~standard'].validate({ nonsense: 1 });
  expect(issues?.map((i) => i.path?.[0])).toEqual(['endpoint', 'root', 'state', 'engineSocket', 'nonsense']);
});

it.each([
  ['manifest for x:y not found: manifest unknown: manifest unknown', 'notFound'],
  ['manifest unknown', 'notFound'],
  ["pull access denied for x, repository does not exist or may require 'docker login'", 'notFound'],
  ['Get "https://r/v2/": unauthorized: authentication required', 'permissionDenied'],
  ['Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', 'unavailable'],
  ['failed to register layer: no space left on device', 'unknown'],
])('a pull that fails with %j is %s', (message, code) => {
  const error = pullError('r/x:y', message);
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  if (code === 'notFound') expect(error.message).toMatch(/not found/);
});

it('credentials reach the registry as the engine takes them', () => {
  const auth = Buffer.from('me:se:cret').toString('base64');
  const header = registryAuth(
    { $typeName: 'runtime.v1.AuthConfig', username: '', password: '', auth, serverAddress: '', identityToken: '', registryToken: '' },
    'r.example',
  );
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ username: 'me', password: 'se:cret', serveraddress: 'r.example' });
  expect(registryAuth(undefined, 'r.example')).toBe('');
});

it("times are the engine's to the nanosecond, and its never is none", () => {
  expect(nanoseconds('2026-01-02T03:04:05.5Z')).toBe(BigInt(Date.parse('2026-01-02T03:04:05Z')) * 1_000_000n + 500_000_000n);
  expect(nanoseconds('2026-01-02T03:04:05.000000001Z') % 10n).toBe(1n);
  expect(nanoseconds('0001-01-01T00:00:00Z')).toBe(0n);
});

it("an own engine leaves the machine's network alone, and its containers outlive it", () => {
  expect(JSON.parse(daemonConfig({ root: '/r', state: '/s', socket: '/d.sock' }))).toMatchObject({
    'data-root': '/r/data',
    'exec-root': '/s',
    hosts: ['unix:///d.sock'],
    bridge: 'none',
    iptables: false,
    'ip-forward': false,
    'live-restore': true,
  });
});
