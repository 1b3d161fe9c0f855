import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { criSuite } from '@coxswain/sdk-testing';
import { createSimRuntime } from './sim-runtime.js';

// What the suite's commands do, as scripts: the simulator runs no programs.
const containers = [
  {
    exec: [
      { command: 'sh -c echo out; echo err >&2; exit 5', stdout: 'out\n', stderr: 'err\n', code: 5 },
      { command: 'sleep 100', after: '100s' },
      { command: '/no/such', error: 'exec: "/no/such": no such file or directory' },
      { command: 'sh -c echo a', stdout: 'a\n' },
      { command: 'sh -c echo b', stdout: 'b\n' },
      { command: 'sh -c echo hello; echo bad >&2; exit 9', stdout: 'hello\n', stderr: 'bad\n', code: 9 },
      { command: '*wget -qO- http://127.0.0.1:8090/', stdout: 'forwarded' },
    ],
  },
  { command: 'true', exit: {} },
  { command: '/no/such/command', start: { error: 'exec: "/no/such/command": no such file or directory' } },
  { command: 'sh -c exit 42', exit: { code: 42 } },
  { command: 'sh -c trap *', logs: ['ready'], stop: { after: '20ms', code: 7 } },
  { command: 'sh -c echo one; *', logs: ['one', { line: 'two', stream: 'stderr' }, 'three'], exit: {} },
  { command: 'sh -c while :; do echo tick; *', logs: [{ line: 'tick', every: '50ms' }] },
  { command: '*httpd -f -p 8090*', ports: { 8090: 'HTTP/1.0 200 OK\r\n\r\nforwarded\n' } },
];

criSuite({
  name: 'cri-sim',
  without: ['kernel', 'programs', 'image-volumes', 'user-namespaces', 'metrics'],
  async start() {
    const dir = await mkdtemp(join(tmpdir(), 'cri-sim-'));
    const sim = createSimRuntime({
      podCIDR: '10.9.0.0/24',
      root: join(dir, 'root'),
      containers,
      images: [
        { name: '*-missing*', error: 'manifest unknown: not found' },
        { name: 'registry.test/tagged:*', content: 'tagged' },
        { name: '*/base:*', content: 'base' },
        { name: '*/user-id:*', user: '1002' },
        { name: '*/user-name:*', user: 'nobody' },
      ],
    });
    await sim.serve(`unix://${join(dir, 'cri.sock')}`);
    const name = (n: string) => `registry.test/${n}`;
    return {
      endpoint: `unix://${join(dir, 'cri.sock')}`,
      images: {
        base: name('base:1'),
        threeTags: [name('tagged:1'), name('tagged:2'), name('tagged:3')],
        threeImages: [name('one:1'), name('two:1'), name('three:1')],
        baseElsewhere: 'mirror.test/base:1',
        userId: name('user-id:1'),
        userName: name('user-name:1'),
        groups: name('groups:1'),
      },
      async stop() {
        await sim.close();
        await rm(dir, { recursive: true, force: true });
      },
    };
  },
});
