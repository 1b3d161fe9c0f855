import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MountPropagation } from '@coxswain/cri';
import { describe, expect } from 'vitest';
import type { ContainerInit, CriBench, SandboxInit } from './cri-bench.js';

/** Volumes, devices and the network as a container sees it. */
export function volumeCases(t: CriBench): void {
  const { needs, podConfig, runPod, create, start, exec, status, secure } = t;

  describe('volumes', () => {
    needs('kernel')('are mounted, also through a link, and read-only where asked', async () => {
      const host = join(t.dir, `vol-${t.next()}`);
      await mkdir(host);
      await writeFile(join(host, 'file'), 'content');
      await symlink(host, `${host}-link`);
      const { containerId } = await start(await runPod(), {
        mounts: [
          { hostPath: host, containerPath: '/a' },
          { hostPath: `${host}-link`, containerPath: '/b', readonly: true },
        ],
      } as Partial<ContainerInit>);
      expect((await exec(containerId, 'cat /a/file /b/file; echo new > /a/new; cat /b/new; touch /b/x 2>/dev/null || echo refused')).out).toBe(
        'contentcontentnew\nrefused',
      );
    });
    needs('kernel')('refuse recursive read-only with propagation, and take it without', async () => {
      const mount = (propagation: MountPropagation, over = {}) =>
        ({ mounts: [{ hostPath: t.dir, containerPath: '/m', readonly: true, recursiveReadOnly: true, propagation, ...over }] }) as Partial<ContainerInit>;
      const pod = await runPod();
      await expect(create(pod, mount(MountPropagation.PROPAGATION_BIDIRECTIONAL))).rejects.toThrow(/recursive/i);
      await expect(create(pod, mount(MountPropagation.PROPAGATION_HOST_TO_CONTAINER))).rejects.toThrow(/recursive/i);
      await expect(create(pod, mount(MountPropagation.PROPAGATION_PRIVATE, { readonly: false }))).rejects.toThrow(/readonly|read-only/i);
      const { runtimeHandlers } = await t.cri.runtime.status({});
      const supported = runtimeHandlers.some((h) => h.features?.recursiveReadOnlyMounts);
      const { containerId } = await start(pod, mount(MountPropagation.PROPAGATION_PRIVATE, { recursiveReadOnly: supported }));
      expect((await exec(containerId, 'touch /m/x')).exitCode).not.toBe(0);
    });
    needs('kernel')('propagate mounts to and from the container where asked', async () => {
      const host = join(t.dir, `shared-${t.next()}`);
      await mkdir(host);
      const mount = (...args: string[]) => execFileSync('mount', args);
      mount('--bind', host, host);
      try {
        mount('--make-rshared', host);
        const pod = await runPod(podConfig({ linux: { securityContext: { privileged: true } } } as Partial<SandboxInit>));
        const { containerId } = await start(pod, {
          ...secure({ privileged: true }),
          mounts: [{ hostPath: host, containerPath: '/m', propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL }],
        } as Partial<ContainerInit>);
        const { containerId: slave } = await start(pod, {
          mounts: [{ hostPath: host, containerPath: '/m', propagation: MountPropagation.PROPAGATION_HOST_TO_CONTAINER }],
        } as Partial<ContainerInit>);
        await Promise.all(['from-host', 'from-container'].map((name) => mkdir(join(host, name))));
        mount('-t', 'tmpfs', 'tmpfs', join(host, 'from-host'));
        await writeFile(join(host, 'from-host', 'a'), 'A');
        for (const id of [containerId, slave]) expect((await exec(id, 'cat /m/from-host/a')).out).toBe('A');
        expect((await exec(containerId, 'mount -t tmpfs tmpfs /m/from-container && echo B > /m/from-container/b')).exitCode).toBe(0);
        expect((await readFile(join(host, 'from-container', 'b'), 'utf8')).trim()).toBe('B');
      } finally {
        execFileSync('umount', ['-R', '-l', host]);
      }
    });
    needs('kernel')('refuse propagation from what is not shared', async () => {
      const host = join(t.dir, `private-${t.next()}`);
      await mkdir(host);
      execFileSync('mount', ['--bind', host, host]);
      try {
        execFileSync('mount', ['--make-private', host]);
        const mounts = [{ hostPath: host, containerPath: '/m', propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL }];
        await expect(create(await runPod(), { mounts } as Partial<ContainerInit>)).rejects.toThrow(/not a shared mount/);
      } finally {
        execFileSync('umount', ['-l', host]);
      }
    });
    needs('kernel')('are told about in the status as they were asked for', async () => {
      const mount = { hostPath: t.dir, containerPath: '/seen', propagation: MountPropagation.PROPAGATION_PRIVATE, readonly: false, selinuxRelabel: false };
      const { containerId } = await create(await runPod(), { mounts: [mount] } as Partial<ContainerInit>);
      expect((await status(containerId)).mounts).toMatchObject([mount]);
    });
    needs('kernel')('leave what is mounted beneath a read-only one writable, unless it is recursive', async () => {
      const host = join(t.dir, `nested-${t.next()}`);
      await mkdir(join(host, 'below'), { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(host, 'below')]);
      try {
        const pod = await runPod();
        const within = async (recursiveReadOnly: boolean) => {
          const mounts = [{ hostPath: host, containerPath: '/m', readonly: true, recursiveReadOnly }];
          return exec((await start(pod, { mounts } as Partial<ContainerInit>)).containerId, 'touch /m/below/x');
        };
        expect((await within(false)).exitCode).toBe(0);
        const { runtimeHandlers } = await t.cri.runtime.status({});
        if (runtimeHandlers.some((h) => h.features?.recursiveReadOnlyMounts)) expect((await within(true)).err).toContain('Read-only file system');
      } finally {
        execFileSync('umount', ['-l', join(host, 'below')]);
      }
    });
    const imageMount = (over: object = {}) => {
      const image = { image: t.under.images.base, userSpecifiedImage: t.under.images.base };
      return { mounts: [{ containerPath: '/mnt/image', readonly: true, image, ...over }] } as Partial<ContainerInit>;
    };
    needs('image-volumes')('can be images: seen whole, run from, never written to, and named by their id', async () => {
      const { containerId } = await start(await runPod(), imageMount());
      expect((await exec(containerId, '/mnt/image/bin/busybox true && ls /mnt/image/etc/passwd')).out).toBe('/mnt/image/etc/passwd');
      expect((await exec(containerId, 'touch /mnt/image/x')).err).toContain('Read-only file system');
      const { image } = await t.cri.image.imageStatus({ image: { image: t.under.images.base } });
      expect((await status(containerId)).mounts).toMatchObject([{ containerPath: '/mnt/image', image: { imageRef: image?.id } }]);
    });
    needs('image-volumes')('can be a folder of an image, which must be there', async () => {
      const pod = await runPod();
      const { containerId } = await start(pod, imageMount({ imageSubPath: 'etc' }));
      expect((await exec(containerId, 'ls /mnt/image/passwd')).exitCode).toBe(0);
      await expect(create(pod, imageMount({ imageSubPath: 'not-there' }))).rejects.toThrow(/not-there/);
      await expect(create(pod, imageMount({ readonly: false }))).rejects.toThrow(/readonly/);
    });
    needs('kernel')('take devices', async () => {
      const { containerId } = await start(await runPod(), {
        devices: [{ hostPath: '/dev/null', containerPath: '/dev/mynull', permissions: 'rwm' }],
      } as Partial<ContainerInit>);
      expect((await exec(containerId, 'echo x > /dev/mynull && test -c /dev/mynull && echo ok')).out).toBe('ok');
    });
  });

  describe('networking', () => {
    needs('kernel')('sets DNS configuration and host name', async () => {
      const pod = await runPod(
        podConfig({ hostname: 'my-host', dnsConfig: { servers: ['10.10.10.10'], searches: ['google.com'], options: ['ndots:8'] } } as Partial<SandboxInit>),
      );
      const { containerId } = await start(pod);
      expect((await exec(containerId, 'cat /etc/resolv.conf; hostname')).out.split('\n')).toEqual([
        'search google.com',
        'nameserver 10.10.10.10',
        'options ndots:8',
        'my-host',
      ]);
    });
    needs('kernel')('shares localhost between the containers of a pod', async () => {
      const pod = await runPod(podConfig({ portMappings: [{ containerPort: 8080 }] } as Partial<SandboxInit>));
      await start(pod, { command: ['sh', '-c', 'mkdir /www; echo hi > /www/index.html; httpd -f -p 8080 -h /www'] });
      const client = await start(pod);
      await expect.poll(async () => (await exec(client.containerId, 'wget -qO- http://127.0.0.1:8080/')).out, { timeout: 10_000 }).toBe('hi');
    });
  });
}
