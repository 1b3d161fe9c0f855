import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execInvoker } from '@coxswain/cni';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runExecutable } from './run-executable.js';

let bin: string;
const call = (type: string) => ({
  command: 'ADD' as const,
  containerId: 'c1',
  netns: '/run/netns/c1',
  ifname: 'eth0',
  args: {},
  config: { cniVersion: '1.1.0', name: 'net', type },
});
const plugin = (name: string, script: string, mode = 0o755) => writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode });

beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), 'cox-cni-bin-'));
});
afterAll(() => rm(bin, { recursive: true, force: true }));

it('a plugin gets its configuration, the call and our environment, and answers', async () => {
  await plugin(
    'says',
    'config=$(cat); test -n "$PATH" && echo "{\\"cniVersion\\":\\"1.1.0\\",\\"dns\\":{\\"domain\\":\\"$CNI_COMMAND.$CNI_IFNAME.${#config}\\"}}"',
  );
  const { config } = call('says');
  const result = await execInvoker({ path: [bin], run: runExecutable }).invoke(call('says'));
  expect(result).toMatchObject({ dns: { domain: `ADD.eth0.${JSON.stringify(config).length}` } });
});

it('an error a plugin prints is the error; one that says nothing is told of by its exit code', async () => {
  await plugin('fails', 'echo \'{"code": 11, "msg": "try again later"}\'; exit 1');
  await plugin('silent', 'exit 3');
  const invoker = execInvoker({ path: [bin], run: runExecutable });
  await expect(invoker.invoke(call('fails'))).rejects.toMatchObject({ code: 11, message: 'try again later' });
  await expect(invoker.invoke(call('silent'))).rejects.toThrow('CNI plugin silent failed with exit code 3 and no error message');
});

it('a plugin that cannot be run and one that is stopped are told of', async () => {
  await writeFile(join(bin, 'broken'), '#!/nowhere/sh\n', { mode: 0o755 });
  await plugin('slow', 'sleep 60');
  const invoker = execInvoker({ path: [bin], run: runExecutable });
  await expect(invoker.invoke(call('broken'))).rejects.toThrow(/could not be run/);
  await expect(invoker.invoke(call('slow'), AbortSignal.timeout(50))).rejects.toThrow(/CNI plugin slow was stopped/);
});

it('one that hangs is given up with all it has started, one that prints without end too; one that was killed is told of by the signal', async () => {
  await plugin('forks', `sh -c 'echo $$ >${bin}/child; exec sleep 60' & wait`);
  await plugin('floods', 'exec yes');
  await plugin('killed', 'kill -9 $$');
  const invoker = execInvoker({ path: [bin], run: runExecutable, timeoutMs: 2000 });
  await expect(invoker.invoke(call('forks'))).rejects.toThrow('CNI plugin forks was stopped: it did not end within 2 s');
  const child = Number(await readFile(join(bin, 'child'), 'utf8'));
  await expect.poll(() => existsSync(`/proc/${child}`)).toBe(false);
  await expect(invoker.invoke(call('floods'))).rejects.toThrow(/it printed more than \d+ bytes/);
  await expect(invoker.invoke(call('killed'))).rejects.toThrow('CNI plugin killed was ended by SIGKILL and no error message');
});
