import { create } from '@bufbuild/protobuf';
import { ContainerConfigSchema } from '@coxswain/cri';
import { expect, it } from 'vitest';
import { createdStatus, newContainer } from '../container/container-record.js';
import { containerInfo } from './verbose-info.js';

it('tells of a container what it was made of, but not its environment', () => {
  const config = create(ContainerConfigSchema, { metadata: { name: 'app' }, envs: [{ key: 'TOKEN', value: Buffer.from('secret') }], workingDir: '/srv' });
  const meta = {
    id: 'c',
    sandboxId: 'p',
    config,
    logPath: '',
    imageId: '',
    imageRef: '',
    user: { uid: 0, gid: 0, additionalGids: [] },
    stopSignal: '',
    cgroupsPath: '/k8s.io/c',
    createdAt: 1n,
  };
  const spec = { ociVersion: '1.0.2', root: { path: 'rootfs' }, process: { cwd: '/srv', args: ['app'], env: ['TOKEN=secret'], user: { uid: 0, gid: 0 } } };
  const text = containerInfo(newContainer(meta, { ...createdStatus(), state: 'running', pid: 42 }), spec)['info'] as string;
  expect(JSON.parse(text)).toEqual({
    sandboxID: 'p',
    pid: 42,
    removing: false,
    cgroupsPath: '/k8s.io/c',
    config: { metadata: { name: 'app' }, workingDir: '/srv' },
    runtimeSpec: { ociVersion: '1.0.2', root: { path: 'rootfs' }, process: { cwd: '/srv', args: ['app'], user: { uid: 0, gid: 0 } } },
  });
});
