import { readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { NamespaceMode, SupplementalGroupsPolicy, SecurityProfile_ProfileType as ProfileType } from '@coxswain/cri';
import { describe, expect } from 'vitest';
import type { ContainerInit, CriBench, SandboxInit } from './cri-bench.js';

/** Security contexts. */
export function securityCases(t: CriBench): void {
  const { needs, podConfig, runPod, create, start, exec, secure } = t;

  describe('security', () => {
    const withNamespaces = (options: object) => ({ linux: { securityContext: { namespaceOptions: options } } });
    const inNamespaces = async (options: object, script: string) => {
      const pod = await runPod(podConfig(withNamespaces(options) as Partial<SandboxInit>));
      const { containerId } = await start(pod, withNamespaces(options) as Partial<ContainerInit>);
      return { pod, containerId, ...(await exec(containerId, script)) };
    };
    const effective = async (containerId: string) => BigInt(`0x${(await exec(containerId, "grep CapEff /proc/self/status | awk '{print $2}'")).out}`);
    const has = (mask: bigint, number: number) => ((mask >> BigInt(number)) & 1n) === 1n;
    const CAP_NET_ADMIN = 12;
    const CAP_CHOWN = 0;

    needs('kernel')('pid namespaces: container, pod, host, target', async () => {
      expect((await inNamespaces({ pid: NamespaceMode.CONTAINER }, 'tr "\\0" " " < /proc/1/cmdline')).out).toContain('sleep 1000');
      const shared = await inNamespaces({ pid: NamespaceMode.POD }, 'tr "\\0" " " < /proc/1/cmdline');
      expect(shared.out).not.toContain('sleep');
      const other = await start(shared.pod, withNamespaces({ pid: NamespaceMode.POD }) as Partial<ContainerInit>);
      expect((await exec(other.containerId, 'ps | grep -c "sleep 1000"')).out).not.toBe('0');
      expect((await inNamespaces({ pid: NamespaceMode.NODE }, 'readlink /proc/self/ns/pid')).out).toBe(readlinkSync('/proc/self/ns/pid'));
      const host = await inNamespaces({ pid: NamespaceMode.CONTAINER }, 'true');
      const target = await start(host.pod, withNamespaces({ pid: NamespaceMode.TARGET, targetId: host.containerId }) as Partial<ContainerInit>);
      expect((await exec(target.containerId, 'readlink /proc/self/ns/pid')).out).toBe((await exec(host.containerId, 'readlink /proc/self/ns/pid')).out);
    });
    needs('kernel')('reaps orphans in a shared pid namespace', async () => {
      const pod = await inNamespaces({ pid: NamespaceMode.POD }, '(sleep 0.1 &) ; sleep 0.4; ps -o stat,comm | grep -c "^Z" || true');
      expect(pod.out).toBe('0');
    });
    needs('kernel')('host network and private ipc', async () => {
      const host = await inNamespaces({ network: NamespaceMode.NODE }, 'readlink /proc/self/ns/net; hostname');
      expect(host.out).toBe(`${readlinkSync('/proc/self/ns/net')}\n${hostname()}`);
      expect((await inNamespaces({ ipc: NamespaceMode.POD }, 'readlink /proc/self/ns/ipc')).out).not.toBe(readlinkSync('/proc/self/ns/ipc'));
    });
    needs('kernel')('the host IPC where asked', async () => {
      expect((await inNamespaces({ ipc: NamespaceMode.NODE }, 'readlink /proc/self/ns/ipc')).out).toBe(readlinkSync('/proc/self/ns/ipc'));
    });
    needs('kernel')('users and groups', async () => {
      const pod = await runPod();
      const id = async (context: object, image = t.under.images.base) => {
        const { containerId } = await start(pod, { ...secure(context), image: { image } } as Partial<ContainerInit>);
        return (await exec(containerId, 'echo $(id -u):$(id -g):$(id -G)')).out;
      };
      expect(await id({ runAsUser: { value: 1001n } })).toBe('1001:0:0');
      expect(await id({ runAsUser: { value: 1001n }, runAsGroup: { value: 1002n } })).toBe('1001:1002:1002');
      expect(await id({ runAsUsername: 'nobody' })).toMatch(/^65534:65534/);
      expect(await id({ supplementalGroups: [1234n, 5678n] })).toBe('0:0:0 1234 5678');
      await expect(create(pod, secure({ runAsGroup: { value: 5n } }))).rejects.toThrow(/without user/);
      await t.cri.image.pullImage({ image: { image: t.under.images.groups } });
      const member = { runAsUser: { value: 1000n }, supplementalGroups: [60000n] };
      expect(await id({ ...member, supplementalGroupsPolicy: SupplementalGroupsPolicy.Merge }, t.under.images.groups)).toBe('1000:1000:1000 50000 60000');
      expect(await id({ ...member, supplementalGroupsPolicy: SupplementalGroupsPolicy.Strict }, t.under.images.groups)).toBe('1000:1000:1000 60000');
    });
    needs('kernel')('capabilities are added and dropped', async () => {
      const pod = await runPod();
      const mask = async (capabilities: object) => effective((await start(pod, secure({ capabilities }))).containerId);
      expect(has(await mask({}), CAP_NET_ADMIN)).toBe(false);
      expect(has(await mask({ addCapabilities: ['NET_ADMIN'] }), CAP_NET_ADMIN)).toBe(true);
      expect(has(await mask({ addCapabilities: ['ALL'] }), CAP_NET_ADMIN)).toBe(true);
      expect(has(await mask({ dropCapabilities: ['CHOWN'] }), CAP_CHOWN)).toBe(false);
      expect(await mask({ dropCapabilities: ['ALL'] })).toBe(0n);
      await expect(create(pod, secure({ capabilities: { addCapabilities: ['NONSENSE'] } }))).rejects.toThrow(/NONSENSE/i);
    });
    needs('kernel')('no privileged container in a pod that is not', async () => {
      await expect(create(await runPod(), secure({ privileged: true }))).rejects.toThrow('no privileged container allowed in sandbox');
    });
    needs('kernel')('privileged or not, read-only root or not', async () => {
      const pod = await runPod(podConfig({ linux: { securityContext: { privileged: true } } } as Partial<SandboxInit>));
      const privileged = await start(pod, secure({ privileged: true }));
      expect((await exec(privileged.containerId, 'ip link add dummy-x type bridge && ip link del dummy-x')).exitCode).toBe(0);
      const plain = await start(pod, secure({ privileged: false }));
      expect((await exec(plain.containerId, 'ip link add dummy-x type bridge')).exitCode).not.toBe(0);
      expect((await exec(plain.containerId, 'touch /x && echo ok')).out).toBe('ok');
      const readonly = await start(pod, secure({ readonlyRootfs: true }));
      expect((await exec(readonly.containerId, 'touch /x')).exitCode).not.toBe(0);
    });
    needs('kernel')('masked and read-only paths', async () => {
      const { containerId } = await start(await runPod(), secure({ maskedPaths: ['/etc/passwd', '/root'], readonlyPaths: ['/tmp'] }));
      expect((await exec(containerId, 'wc -c < /etc/passwd; ls -A /root | wc -l')).out).toBe('0\n0');
      expect((await exec(containerId, 'touch /tmp/x')).exitCode).not.toBe(0);
      const { containerId: plain } = await start(await runPod(), secure({ maskedPaths: [], readonlyPaths: [] }));
      expect((await exec(plain, 'test -s /etc/passwd && touch /tmp/x && echo ok')).out).toBe('ok');
    });
    needs('kernel')('control groups can be looked at, not made', async () => {
      const { containerId } = await start(await runPod(), secure({ privileged: false }));
      expect((await exec(containerId, 'ls /sys/fs/cgroup | grep -q . && ! mkdir /sys/fs/cgroup/x 2>/dev/null && echo ok')).out).toBe('ok');
    });
    needs('kernel')('no-new-privileges', async () => {
      const pod = await runPod();
      for (const noNewPrivs of [true, false]) {
        const { containerId } = await start(pod, secure({ noNewPrivs }));
        expect((await exec(containerId, "grep NoNewPrivs /proc/self/status | awk '{print $2}'")).out).toBe(noNewPrivs ? '1' : '0');
      }
    });
    needs('kernel')('AppArmor profiles that are not loaded are refused when the container is made', async () => {
      const pod = await runPod();
      const missing = 'localhost/suite-no-such-profile';
      await expect(create(pod, secure({ apparmorProfile: missing }))).rejects.toThrow(/apparmor/i);
      await expect(create(pod, secure({ apparmor: { profileType: ProfileType.Localhost, localhostRef: missing } }))).rejects.toThrow(/apparmor/i);
    });
    needs('kernel')('seccomp of the sandbox, and none where none is named', async () => {
      const path = join(t.dir, 'seccomp-chmod.json');
      await writeFile(path, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['chmod', 'fchmodat'], action: 'SCMP_ACT_ERRNO' }] }));
      const seccomp = { profileType: ProfileType.Localhost, localhostRef: path };
      const pod = await runPod(podConfig({ linux: { securityContext: { seccomp } } } as Partial<SandboxInit>));
      const { containerId } = await start(pod, secure({ seccomp }));
      expect((await exec(containerId, 'chmod 400 /')).err).toContain('Operation not permitted');
      const { containerId: plain } = await start(pod);
      expect((await exec(plain, "grep '^Seccomp:' /proc/self/status | awk '{print $2}'")).out).toBe('0');
    });
    needs('kernel')('seccomp: default, unconfined, local profile, privileged', async () => {
      const pod = await runPod(podConfig({ linux: { securityContext: { privileged: true } } } as Partial<SandboxInit>));
      const mode = async (context: object) => {
        const { containerId } = await start(pod, secure(context));
        return {
          seccomp: (await exec(containerId, "grep '^Seccomp:' /proc/self/status | awk '{print $2}'")).out,
          rename: (await exec(containerId, 'hostname other')).exitCode === 0,
        };
      };
      const admin = { capabilities: { addCapabilities: ['SYS_ADMIN'] } };
      const path = join(t.dir, 'seccomp.json');
      await writeFile(path, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['sethostname'], action: 'SCMP_ACT_ERRNO' }] }));
      const local = { seccomp: { profileType: ProfileType.Localhost, localhostRef: path } };
      expect((await mode({ seccomp: { profileType: ProfileType.RuntimeDefault } })).seccomp).toBe('2');
      expect(await mode({ ...admin, seccomp: { profileType: ProfileType.Unconfined } })).toEqual({ seccomp: '0', rename: true });
      expect(await mode({ ...admin, ...local })).toEqual({ seccomp: '2', rename: false });
      expect(await mode({ privileged: true, ...local })).toEqual({ seccomp: '0', rename: true });
    });
  });
}
