import { RpcError, type RuntimeServiceClient } from '@coxswain/cri';
import { FakeClock } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import { probeRunner } from './run-probe.js';

const target = { container: { name: 'c' }, containerId: 'id', podIP: '10.0.0.1' };
const probe = { exec: { command: ['check', 'it'] }, timeoutSeconds: 3 };
const against = (execSync: () => Promise<object>) => probeRunner({ execSync } as unknown as RuntimeServiceClient, new FakeClock())(probe, target);

it.each([
  [0, 'success'],
  [3, 'failure'],
])('a command that ends with %d is a %s', async (exitCode, outcome) => {
  const answer = { exitCode, stdout: Buffer.from('out '), stderr: Buffer.from('err') };
  expect(await against(async () => answer)).toEqual({ outcome, message: 'out err' });
});

it('a command that takes too long is a failure', async () => {
  expect(await against(() => Promise.reject(new RpcError('deadlineExceeded', 'late')))).toEqual({
    outcome: 'failure',
    message: 'command timed out: "check it" timed out after 3s',
  });
});

it('a command that cannot be run says nothing of the container', async () => {
  expect(await against(() => Promise.reject(new RpcError('unknown', 'no such file')))).toEqual({
    outcome: 'unknown',
    message: 'rpc error: code = Unknown desc = no such file',
  });
});
