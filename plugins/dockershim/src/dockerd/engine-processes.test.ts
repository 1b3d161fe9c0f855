import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { killShimOf } from './engine-processes.js';

it('ends the shim of a container that is gone, and no other', async () => {
  const shims = ['a1', 'b2'].map((id) =>
    spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000); console.log()', '--', '-id', id, '-address', '/x'], {
      argv0: 'containerd-shim-runc-v2',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  try {
    await Promise.all(shims.map((shim) => once(shim.stdout, 'data')));
    const ended = once(shims[0]!, 'exit');
    await killShimOf('a1');
    await ended;
    expect(shims.map(({ signalCode }) => signalCode)).toEqual(['SIGTERM', null]);
  } finally {
    for (const shim of shims) shim.kill('SIGKILL');
  }
});
