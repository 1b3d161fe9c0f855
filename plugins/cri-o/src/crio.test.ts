import { Clock, CriServer, Logger, Random, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { crio } from './index.js';
import { runtimeMessage } from './runtime/oci-runtime.js';

it('binds a CRI server without starting anything', async () => {
  const container = new Container();
  container.bind(Clock).toConstantValue(systemClock);
  container.bind(Logger).toConstantValue(silentLogger);
  container.bind(Random).toConstantValue(systemRandom);
  const checked = await crio.config['~standard'].validate({ endpoint: 'unix:///x.sock', root: '/r', state: '/s', runtimes: ['runc', 'fast=/opt/fast'] });
  if (checked.issues) throw new Error(JSON.stringify(checked.issues));
  await container.load(crio.module(checked.value));
  expect(await container.getAsync(CriServer)).toMatchObject({ endpoint: 'unix:///x.sock', name: 'cri-o' });
  expect(Object.isFrozen(crio)).toBe(true);
});

it('reports every missing and unknown setting', async () => {
  const { issues } = await crio.config['~standard'].validate({ nonsense: 1 });
  expect(issues?.map((i) => i.path?.[0])).toEqual(['endpoint', 'root', 'state', 'nonsense']);
});

it.each([
  ['time="2026-01-01T00:00:00Z" level=warning msg="beside the point"\ntime="2026" level=error msg="exec: \\"/x\\": no such file"', 'exec: "/x": no such file'],
  ['{"level":"error","msg":"container_linux.go: boom","time":"2026"}', 'container_linux.go: boom'],
  ['{"msg":"executable file `x` not found", "level":"error", "time":"2026"}\n', 'executable file `x` not found'],
  ['plain text', 'plain text'],
  ['', ''],
])('finds the message in what a runtime prints: %j', (text, expected) => expect(runtimeMessage(text)).toBe(expected));
