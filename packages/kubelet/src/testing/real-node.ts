import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ContainerdDaemon, type CriContainerd, importImage, startContainerd, startCriContainerd } from '@coxswain/cri-containerd';
import { connectCri, type CriConnection } from '@coxswain/cri';
import { mounts, umountAll } from '@coxswain/linux';
import { buildBusyboxImage } from '@coxswain/oci';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { Kubelet } from '../kubelet.js';
import type { KubeletConfig } from '../options.js';
import { FakeApi } from './fake-api.js';

/** A kubelet on a real containerd through our CRI server; only the API is in memory. Pods get addresses in 10.<byte>.0.0/24. */
export class RealNode {
  readonly api = new FakeApi();
  containerd!: ContainerdDaemon;
  cri!: CriContainerd;
  connection!: CriConnection;
  kubelet!: Kubelet;

  private constructor(
    readonly dir: string,
    private readonly config: KubeletConfig,
  ) {}

  static async start(subnetByte: number, config: KubeletConfig = {}): Promise<RealNode> {
    const dir = await mkdtemp(join(tmpdir(), 'kubelet-sys-'));
    const node = new RealNode(dir, { cgroupRoot: `/kubelet-test-${process.pid}-${subnetByte}`, ...config });
    try {
      await mkdir(join(dir, 'cni'));
      const plugins = [
        { type: 'ptp', ipMasq: false, ipam: { type: 'host-local', subnet: `10.${subnetByte}.0.0/24`, dataDir: join(dir, 'ipam'), routes: [{ dst: '0.0.0.0/0' }] } },
        { type: 'portmap', capabilities: { portMappings: true } },
      ];
      await writeFile(join(dir, 'cni', '10-test.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: `kubelet${subnetByte}`, plugins }));
      node.containerd = await startContainerd({ root: join(dir, 'c-root'), state: join(dir, 'c-state'), socket: join(dir, 'containerd.sock'), clock: systemClock });
      node.cri = await startCriContainerd({
        endpoint: `unix://${dir}/cri.sock`,
        containerdSocket: node.containerd.socket,
        containerdRoot: join(dir, 'c-root'),
        root: join(dir, 'cri-root'),
        state: join(dir, 'cri-state'),
        cni: { confDir: join(dir, 'cni'), binDirs: ['/usr/lib/cni'] },
      });
      const image = await buildBusyboxImage();
      await importImage(node.containerd.socket, Readable.from([await image.layoutTar()]), { names: ['example.test/busybox:1'] });
      node.connection = connectCri({ endpoint: node.cri.endpoint });
      await node.startKubelet();
      return node;
    } catch (error) {
      await node.destroy();
      throw error;
    }
  }

  async startKubelet(): Promise<void> {
    const { dir } = this;
    this.kubelet = new Kubelet(
      { nodeName: 'node-1', nodeIPs: ['127.0.0.1'], address: '127.0.0.1', port: 0, rootDir: join(dir, 'kubelet'), podLogsDir: join(dir, 'logs', 'pods'), containerLogsDir: join(dir, 'logs', 'containers'), authentication: { anonymous: true, webhook: false }, authorization: 'AlwaysAllow', evictionHard: {}, ...this.config },
      { client: this.api.client, cri: this.connection, clock: systemClock, random: systemRandom, logger: silentLogger },
    );
    await this.kubelet.start(AbortSignal.timeout(20_000));
  }

  pod(name: string, spec: Record<string, unknown>): void {
    this.api.put('/api/v1/namespaces/default/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1, labels: { app: name } },
      spec: { nodeName: 'node-1', restartPolicy: 'Always', terminationGracePeriodSeconds: 5, enableServiceLinks: true, ...spec },
      status: { phase: 'Pending' },
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests read deep into it
  status(name: string): any {
    return this.api.pod(name).status;
  }

  gone(name: string): boolean {
    return this.api.get(`/api/v1/namespaces/default/pods/${name}`) === undefined;
  }

  async until(check: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
    const end = performance.now() + ms;
    while (!(await check())) {
      if (performance.now() > end) throw new Error(`did not happen: ${check.toString()}\n${this.api.events().join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async exec(pod: string, ...cmd: string[]): Promise<string> {
    const id = String(this.status(pod).containerStatuses[0].containerID).split('//')[1] ?? '';
    const { stdout, stderr, exitCode } = await this.connection.runtime.execSync({ containerId: id, cmd, timeout: 10n });
    if (exitCode !== 0) throw new Error(`${cmd.join(' ')}: ${Buffer.from(stderr).toString()}`);
    return Buffer.from(stdout).toString();
  }

  /** Everything this node made is gone afterwards. */
  async destroy(): Promise<void> {
    await this.kubelet?.stop(AbortSignal.timeout(5000));
    this.connection?.close();
    await this.cri?.destroyPods().catch((error: unknown) => console.error(error));
    await this.cri?.stop();
    await this.containerd?.stop();
    for (const m of (await mounts()).filter((x) => x.mountPoint.startsWith(this.dir)).reverse()) await umountAll(m.mountPoint);
    await rm(this.dir, { recursive: true, force: true });
    const { Cgroup } = await import('@coxswain/linux');
    await (await Cgroup.at(this.config.cgroupRoot ?? '/none')).delete().catch((error: unknown) => console.error(error));
  }
}
