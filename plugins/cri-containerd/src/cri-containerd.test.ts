import { Clock, CriServer, Logger, Random, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { containerdConfig, criContainerd } from './index.js';

it('binds a CRI server without starting anything', async () => {
  const container = new Container();
  container.bind(Clock).toConstantValue(systemClock);
  container.bind(Logger).toConstantValue(silentLogger);
  container.bind(Random).toConstantValue(systemRandom);
  const checked = await criContainerd.config['~standard'].validate({
    endpoint: 'unix:///x.sock',
    containerdSocket: '/c.sock',
    containerdRoot: '/c',
    root: '/r',
    state: '/s',
  });
  if (checked.issues) throw new Error(JSON.stringify(checked.issues));
  await container.load(criContainerd.module(checked.value));
  expect(await container.getAsync(CriServer)).toMatchObject({ endpoint: 'unix:///x.sock', name: 'cri-containerd' });
});

it('reports every missing and unknown setting', async () => {
  const { issues } = await criContainerd.config['~standard'].validate({ nonsense: 1 });
  expect(issues?.map((i) => i.path?.[0])).toEqual(['endpoint', 'root', 'state', 'containerdSocket', 'containerdRoot', 'nonsense']);
});

it("writes containerd's configuration with the paths quoted and its own CRI plugin off", () => {
  const text = containerdConfig({ root: '/a "b"', state: '/run/c', socket: '/run/c.sock' });
  expect(text).toContain('root = "/a \\"b\\""');
  expect(text).toMatch(/disabled_plugins = \[.*"io\.containerd\.grpc\.v1\.cri"/);
});
