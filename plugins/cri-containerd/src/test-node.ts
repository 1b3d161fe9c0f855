import { chmod, mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { umountAll, mounts } from '@coxswain/linux';
import { systemClock } from '@coxswain/sdk';
import { type ContainerdDaemon, startContainerd } from './containerd/daemon.js';
import { type CriContainerd, type CriContainerdOptions, startCriContainerd } from './server.js';

/** A containerd and a CRI server of their own, for system tests; the pods' addresses come from the reference ptp plugin. */
export class TestNode {
  cri!: CriContainerd;
  containerd!: ContainerdDaemon;

  private constructor(
    readonly dir: string,
    private readonly overrides: Partial<CriContainerdOptions>,
    private readonly subnet: string,
  ) {}

  /** `subnetByte`: pods are in 10.<byte>.0.0/24; different for nodes that run at once. */
  static async start(subnetByte: number, overrides: Partial<CriContainerdOptions> = {}): Promise<TestNode> {
    const node = new TestNode(await mkdtemp(join(tmpdir(), 'cox-node-')), overrides, `10.${subnetByte}.0.0/24`);
    try {
      await chmod(node.dir, 0o711);
      await mkdir(join(node.dir, 'cni'));
      const plugins = [
        { type: 'ptp', ipMasq: false, ipam: { type: 'host-local', subnet: node.subnet, dataDir: join(node.dir, 'ipam'), routes: [{ dst: '0.0.0.0/0' }] } },
        { type: 'portmap', capabilities: { portMappings: true } },
      ];
      await writeFile(join(node.dir, 'cni', '10-test.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: `test${subnetByte}`, plugins }));
      await node.startContainerd();
      await node.startCri();
      return node;
    } catch (error) {
      await node.destroy();
      throw error;
    }
  }

  async startContainerd(): Promise<void> {
    this.containerd = await startContainerd({
      root: join(this.dir, 'c-root'),
      state: join(this.dir, 'c-state'),
      socket: join(this.dir, 'containerd.sock'),
      clock: systemClock,
    });
  }

  async startCri(): Promise<void> {
    this.cri = await startCriContainerd({
      endpoint: `unix://${this.dir}/cri.sock`,
      containerdSocket: this.containerd.socket,
      containerdRoot: join(this.dir, 'c-root'),
      root: join(this.dir, 'root'),
      state: join(this.dir, 'state'),
      cni: { confDir: join(this.dir, 'cni'), binDirs: ['/usr/lib/cni'] },
      ...this.overrides,
    });
  }

  /** Everything this node made is gone afterwards. */
  async destroy(): Promise<void> {
    await this.cri?.destroyPods().catch((error: unknown) => console.error(error));
    await this.cri?.stop();
    await this.containerd?.stop();
    for (const m of (await mounts()).filter((m) => m.mountPoint.startsWith(this.dir)).reverse()) await umountAll(m.mountPoint);
    await rm(this.dir, { recursive: true, force: true });
  }
}
