import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MountPropagation, NamespaceMode, SecurityProfile_ProfileType as ProfileType } from '@coxswain/cri';
import { describe, expect } from 'vitest';
import type { BenchPod, ContainerInit, CriBench, SandboxInit } from './cri-bench.js';

const FIRST = 1_000_000;
const map = [{ containerId: 0, hostId: FIRST, length: 65_536 }];
const own = { usernsOptions: { mode: NamespaceMode.POD, uids: map, gids: map } };

/** User namespaces of pods. */
export function userNamespaceCases(t: CriBench): void {
  const { needs, podConfig, runPod, create, start, exec, status } = t;
  const inUsers = (more: object = {}, options: object = {}) => ({ linux: { securityContext: { namespaceOptions: { ...own, ...options }, ...more } } });
  const pod = (more: object = {}, options: object = {}) => runPod(podConfig(inUsers(more, options) as Partial<SandboxInit>));
  const run = (in_: BenchPod, over: object = {}, more: object = {}, options: object = {}) =>
    start(in_, { ...inUsers(more, options), ...over } as Partial<ContainerInit>);
  const mounted = (hostPath: string, over: object = {}) => ({ mounts: [{ hostPath, containerPath: '/m', uidMappings: map, gidMappings: map, ...over }] });
  const hostPid = async (containerId: string) => {
    const { info } = await t.cri.runtime.containerStatus({ containerId, verbose: true });
    return (JSON.parse(info['info'] as string) as { pid: number }).pid;
  };
  const wrong = [
    { mode: NamespaceMode.POD, uids: [...map, ...map], gids: map },
    { mode: NamespaceMode.POD, uids: [{ ...map[0], containerId: 1 }], gids: map },
    { mode: NamespaceMode.POD, uids: map, gids: [{ ...map[0], length: 0 }] },
    { mode: NamespaceMode.POD, uids: map, gids: [] },
    { mode: NamespaceMode.CONTAINER, uids: map, gids: map },
    { mode: NamespaceMode.TARGET, uids: map, gids: map },
  ];

  describe('user namespaces', () => {
    needs('kernel')('are refused where their mapping or mode is wrong', async () => {
      for (const usernsOptions of wrong)
        await expect(runPod(podConfig({ linux: { securityContext: { namespaceOptions: { usernsOptions } } } } as Partial<SandboxInit>))).rejects.toThrow(
          /user ?n|mapping|mode/i,
        );
      const host = { linux: { securityContext: { namespaceOptions: { usernsOptions: { mode: NamespaceMode.NODE } } } } };
      const { containerId } = await start(await runPod(podConfig(host as Partial<SandboxInit>)), host as Partial<ContainerInit>);
      expect((await exec(containerId, 'cat /proc/self/uid_map')).out).toBe((await readFile('/proc/self/uid_map', 'utf8')).trim());
    });
    needs('user-namespaces')('are reported, and give a pod users of its own: root inside is the first of the range outside', async () => {
      const { runtimeHandlers } = await t.cri.runtime.status({});
      expect(runtimeHandlers.find((h) => h.name === '')?.features?.userNamespaces).toBe(true);
      const made = await pod();
      const { containerId } = await run(made);
      const inside = await exec(containerId, 'cat /proc/self/uid_map /proc/self/gid_map; id -u; touch /new && stat -c %u:%g / /bin /new /etc/hosts /dev/shm');
      expect(inside.out.split('\n').map((l) => l.trim().replace(/\s+/g, ' '))).toEqual([
        `0 ${FIRST} 65536`,
        `0 ${FIRST} 65536`,
        '0',
        ...['0:0', '0:0', '0:0', '0:0', '0:0'],
      ]);
      const pid = await hostPid(containerId);
      expect((await stat(`/proc/${pid}`)).uid).toBe(FIRST);
      const { status: of } = await t.cri.runtime.podSandboxStatus({ podSandboxId: made.podSandboxId });
      expect(of?.linux?.namespaces?.options?.usernsOptions).toMatchObject({ mode: NamespaceMode.POD, uids: map, gids: map });
    });
    needs('user-namespaces')('users and groups, owners of files, and streams opened by name', async () => {
      const { containerId, logPath } = await run(
        await pod(),
        { command: ['sh', '-c', 'echo out > /dev/stdout; echo err > /dev/stderr; exec sleep 1000'] },
        { runAsUser: { value: 1001n }, runAsGroup: { value: 1002n }, supplementalGroups: [1234n] },
      );
      await expect.poll(async () => (await t.logLines(logPath)).map(([stream, , text]) => `${stream} ${text}`).sort()).toEqual(['stderr err', 'stdout out']);
      const { out, err } = await exec(
        containerId,
        'id -u; id -g; id -G; echo by-name > /dev/stderr; touch /tmp/mine && stat -c %u:%g /tmp/mine; touch /bin/x 2>/dev/null || echo no',
      );
      expect(out).toBe('1001\n1002\n1002 1234\n1001:1002\nno');
      expect(err).toBe('by-name');
      const seen = await stat(`/proc/${await hostPid(containerId)}`);
      expect([seen.uid, seen.gid]).toEqual([FIRST + 1001, FIRST + 1002]);
    });
    needs('user-namespaces')('own what the pod has: its network, its shared memory, its settings, and nothing of the machine', async () => {
      const sysctls = { 'kernel.shm_rmid_forced': '1', 'net.ipv4.ip_unprivileged_port_start': '0' };
      const security = { linux: { sysctls, securityContext: { namespaceOptions: own } } };
      const { containerId } = await run(
        await runPod(podConfig(security as Partial<SandboxInit>)),
        {},
        { capabilities: { addCapabilities: ['NET_ADMIN', 'SYS_ADMIN'] } },
      );
      const { out, err } = await exec(
        containerId,
        [
          'ip link add br9 type bridge && ip link del br9 && echo link',
          'echo x > /dev/shm/f && cat /dev/shm/f',
          'cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start',
          'ls /sys/class/net | grep -c lo',
          'mkdir /mnt2 && mount -t tmpfs tmpfs /mnt2 && echo mounted',
          'chmod 600 /dev/null 2>/dev/null || echo null-kept',
        ].join('; '),
      );
      expect([out, err]).toEqual(['link\nx\n1\n0\n1\nmounted\nnull-kept', '']);
    });
    needs('user-namespaces')('volumes keep their owners', async () => {
      const host = join(t.dir, `owned-${t.next()}`);
      await mkdir(host, { mode: 0o777 });
      await writeFile(join(host, 'file'), 'content');
      await chown(join(host, 'file'), 1234, 4321);
      const made = await pod();
      const { containerId } = await run(made, mounted(host));
      expect((await exec(containerId, 'stat -c %u:%g /m /m/file; echo new > /m/new; cat /m/file')).out).toBe('0:0\n1234:4321\ncontent');
      expect(await stat(join(host, 'new'))).toMatchObject({ uid: 0, gid: 0 });
      const { containerId: reader } = await run(made, mounted(host, { readonly: true, propagation: MountPropagation.PROPAGATION_PRIVATE }));
      expect((await exec(reader, 'stat -c %u /m/file; touch /m/x 2>/dev/null || echo refused')).out).toBe('1234\nrefused');
      const { containerId: file } = await run(made, mounted(join(host, 'file')));
      expect((await exec(file, 'stat -c %u /m; cat /m')).out).toBe('1234\ncontent');
      const { containerId: plain } = await run(made, mounted(host, { uidMappings: [], gidMappings: [] }));
      expect((await exec(plain, 'stat -c %u:%g /m/file')).out).toBe('65534:65534');
    });
    needs('user-namespaces')('volumes that cannot be mapped, and mappings that are not the pod’s, are refused', async () => {
      const made = await pod();
      const { containerId } = await create(made, { ...inUsers(), ...mounted('/proc/sys') } as Partial<ContainerInit>);
      await expect(t.cri.runtime.startContainer({ containerId })).rejects.toThrow(/does not support id-mapped mounts/);
      expect(await status(containerId)).toMatchObject({ exitCode: 128, reason: 'StartError' });
      const other = [{ ...map[0], hostId: 2 * FIRST }];
      await expect(create(made, { ...inUsers(), ...mounted(t.dir, { uidMappings: other }) } as Partial<ContainerInit>)).rejects.toThrow(/id mappings/);
      await expect(create(await runPod(), mounted(t.dir) as Partial<ContainerInit>)).rejects.toThrow(/id mappings/);
      await expect(create(await runPod(), inUsers() as Partial<ContainerInit>)).rejects.toThrow(/user namespace/);
      const foreign = { usernsOptions: { ...own.usernsOptions, uids: other } };
      await expect(create(made, inUsers({}, foreign) as Partial<ContainerInit>)).rejects.toThrow(/user namespace/);
    });
    needs('user-namespaces')('with a shared process namespace, seccomp, a read-only root, privileges', async () => {
      const shared = { pid: NamespaceMode.POD };
      const made = await pod({ privileged: true }, shared);
      const seccomp = { profileType: ProfileType.RuntimeDefault };
      const [one, other] = [await run(made, {}, { seccomp, readonlyRootfs: true }, shared), await run(made, {}, { privileged: true }, shared)];
      expect((await exec(one.containerId, 'touch /x 2>/dev/null || echo read-only; ps | grep -c "[s]leep 1000"')).out).toBe('read-only\n2');
      expect((await exec(other.containerId, 'ip link add br9 type bridge && ip link del br9 && mknod /null c 1 3 2>/dev/null || echo no-devices')).out).toBe(
        'no-devices',
      );
      const target = await run(made, {}, {}, { pid: NamespaceMode.TARGET, targetId: one.containerId });
      expect((await exec(target.containerId, 'readlink /proc/self/ns/user')).out).toBe((await exec(one.containerId, 'readlink /proc/self/ns/user')).out);
    });
    needs('user-namespaces', 'image-volumes')('images as volumes keep their owners', async () => {
      const { containerId } = await run(await pod(), { mounts: [{ containerPath: '/image', image: { image: t.under.images.base }, readonly: true }] });
      expect((await exec(containerId, 'stat -c %u:%g /image/bin; touch /image/x 2>/dev/null || echo refused')).out).toBe('0:0\nrefused');
    });
  });
}
