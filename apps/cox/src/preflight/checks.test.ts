import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { checkDisk, checkLinux, checkPort, checkProgram, checkRoot, checkWritable } from './checks.js';

describe('preflight', () => {
  test('names what is wrong with the machine and what to do', () => {
    expect(checkLinux('darwin')).toMatchObject({ ok: false, problem: expect.stringContaining('darwin') });
    expect(checkRoot(1000)).toMatchObject({ ok: false, fix: expect.stringContaining('sudo') });
    expect(checkProgram('no-such-program-here', 'some-package', ['--version'])).toMatchObject({ ok: false, fix: 'apt-get install some-package' });
  });

  test('an old program is refused with both versions named', () => {
    expect(checkProgram(process.execPath, 'nodejs', ['--version'], [999, 0])).toMatchObject({
      ok: false,
      fatal: true,
      problem: expect.stringMatching(/is too old; 999\.0 or newer/),
    });
    expect(checkProgram(process.execPath, 'nodejs', ['--version'], [18, 0])).toMatchObject({ ok: true });
  });

  test('a port in use is refused with the flag that helps', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      expect(await checkPort(port, 'API server', '--api-port')).toMatchObject({
        ok: false,
        problem: `port ${port}, wanted for the API server, is in use`,
        fix: expect.stringContaining('--api-port'),
      });
    } finally {
      server.close();
    }
  });

  test('a folder that cannot be written is named, with what chooses another', () => {
    expect(checkWritable('/tmp/no/such/folder', 'X')).toMatchObject({ ok: true });
    expect(checkWritable('/dev/null', 'THE_DIR')).toMatchObject({
      ok: false,
      problem: '/dev/null cannot be written: it is not a folder',
      fix: expect.stringContaining('set THE_DIR'),
    });
    expect(checkWritable('/dev/null/state', 'THE_DIR')).toMatchObject({ ok: false });
  });

  test('disk space is looked up on the nearest folder that exists', async () => {
    expect((await checkDisk('/no/such/folder/anywhere')).name).toBe('disk space');
  });
});
