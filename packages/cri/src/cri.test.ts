import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectCri, ContainerEventType, CriError, type CriConnection, type RpcServer, type RuntimeService, serveCri } from './index.js';

const unimplemented = async (): Promise<never> => {
  throw new CriError('unimplemented', 'no');
};

function fakeRuntime(over: Partial<RuntimeService>): RuntimeService {
  const names = [
    'version',
    'runPodSandbox',
    'stopPodSandbox',
    'removePodSandbox',
    'podSandboxStatus',
    'listPodSandbox',
    'createContainer',
    'startContainer',
    'stopContainer',
    'removeContainer',
    'listContainers',
    'containerStatus',
    'updateContainerResources',
    'reopenContainerLog',
    'execSync',
    'exec',
    'attach',
    'portForward',
    'containerStats',
    'listContainerStats',
    'updateRuntimeConfig',
    'status',
  ];
  return { ...Object.fromEntries(names.map((n) => [n, unimplemented])), ...over } as RuntimeService;
}

describe('CRI over a unix socket', () => {
  let dir: string;
  let endpoint: string;
  let server: RpcServer | undefined;
  let cri: CriConnection | undefined;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cri-'));
    endpoint = `unix://${dir}/cri.sock`;
  });
  afterEach(async () => {
    cri?.close();
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('carries requests, responses and errors with their status', async () => {
    server = await serveCri({
      endpoint,
      runtime: fakeRuntime({
        version: async (request) => ({ version: request.version, runtimeName: 'fake', runtimeVersion: '1', runtimeApiVersion: 'v1' }),
        podSandboxStatus: async () => {
          throw new CriError('notFound', 'no such sandbox');
        },
        listContainers: async (request) => ({ containers: [{ id: 'a', createdAt: 5n, labels: request.filter?.labelSelector ?? {} }] }),
      }),
    });
    expect((await stat(`${dir}/cri.sock`)).mode & 0o777).toBe(0o600);
    cri = connectCri({ endpoint });
    expect(await cri.runtime.version({ version: 'v1' })).toMatchObject({ version: 'v1', runtimeName: 'fake' });
    const list = await cri.runtime.listContainers({ filter: { labelSelector: { app: 'x' } } });
    expect(list.containers[0]).toMatchObject({ id: 'a', createdAt: 5n, labels: { app: 'x' } });
    await expect(cri.runtime.podSandboxStatus({ podSandboxId: 'x' })).rejects.toMatchObject({ code: 'notFound', message: 'no such sandbox' });
    await expect(cri.runtime.checkpointContainer({})).rejects.toMatchObject({
      code: 'unimplemented',
      message: 'method CheckpointContainer not implemented',
    });
    await expect(cri.image.listImages({})).rejects.toMatchObject({ code: 'unimplemented' });
  });

  it('streams events until the caller stops, and tells the server', async () => {
    let ended = false;
    server = await serveCri({
      endpoint,
      runtime: fakeRuntime({
        async *getContainerEvents(_request, context) {
          try {
            for (let i = 0; !context.signal.aborted; i++) {
              yield { containerId: `c${i}`, containerEventType: ContainerEventType.CONTAINER_STARTED_EVENT };
            }
          } finally {
            ended = true;
          }
        },
      }),
    });
    cri = connectCri({ endpoint });
    const seen: string[] = [];
    for await (const event of cri.runtime.getContainerEvents({})) {
      seen.push(event.containerId);
      if (seen.length === 100) break;
    }
    expect(seen[99]).toBe('c99');
    await expect.poll(() => ended).toBe(true);
  });

  it('waits for a server that starts late, and honours deadlines and signals', async () => {
    cri = connectCri({ endpoint });
    const answer = cri.runtime.version({});
    server = await serveCri({
      endpoint,
      runtime: fakeRuntime({
        version: async () => ({ runtimeName: 'late' }),
        status: (_r, c) => new Promise((_, no) => c.signal.addEventListener('abort', () => no(new Error('gone')))),
      }),
    });
    expect((await answer).runtimeName).toBe('late');
    await expect(cri.runtime.status({}, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'deadlineExceeded' });
    const stop = new AbortController();
    const waiting = cri.runtime.status({}, { signal: stop.signal });
    stop.abort(new Error('stop it'));
    await expect(waiting).rejects.toThrow('stop it');
  });

  it('fails at once when told not to wait', async () => {
    cri = connectCri({ endpoint, connectTimeoutMs: 0 });
    await expect(cri.runtime.version({})).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('replaces a stale socket, but not a live server nor a file', async () => {
    server = await serveCri({ endpoint, runtime: fakeRuntime({}) });
    await expect(serveCri({ endpoint, runtime: fakeRuntime({}) })).rejects.toThrow(/another server/);
    await writeFile(`${dir}/file`, '');
    await expect(serveCri({ endpoint: `unix://${dir}/file` })).rejects.toThrow(/not a socket/);
    const { spawnSync } = await import('node:child_process');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(`${dir}/stale.sock`)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    const again = await serveCri({ endpoint: `unix://${dir}/stale.sock`, runtime: fakeRuntime({ version: async () => ({ runtimeName: 'new' }) }) });
    await again.close();
    await expect(stat(`${dir}/stale.sock`)).rejects.toThrow(/ENOENT/);
  });
});
