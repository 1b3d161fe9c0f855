import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mounts, umountAll } from '@coxswain/linux';
import { type Crio, type CrioOptions, startCrio } from './server.js';

/** A CRI server of its own, for system tests; the pods' addresses come from the reference ptp plugin. */
export class TestNode {
  cri!: Crio;

  private constructor(
    readonly dir: string,
    readonly options: CrioOptions,
  ) {}

  /** A folder and a network, without a server yet. `subnetByte`: pods are in 10.<byte>.0.0/24; different for nodes that run at once. */
  static async prepare(subnetByte: number, overrides: Partial<CrioOptions> = {}): Promise<TestNode> {
    const dir = await mkdtemp(join(tmpdir(), 'cox-crio-'));
    await chmod(dir, 0o711);
    await mkdir(join(dir, 'cni'));
    const ipam = { type: 'host-local', subnet: `10.${subnetByte}.0.0/24`, dataDir: join(dir, 'ipam'), routes: [{ dst: '0.0.0.0/0' }] };
    const plugins = [
      { type: 'ptp', ipMasq: false, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ];
    await writeFile(join(dir, 'cni', '10-test.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: `crio${subnetByte}`, plugins }));
    return new TestNode(dir, {
      endpoint: `unix://${dir}/cri.sock`,
      root: join(dir, 'root'),
      state: join(dir, 'state'),
      cni: { confDir: join(dir, 'cni'), binDirs: ['/usr/lib/cni'] },
      ...overrides,
    });
  }

  static async start(subnetByte: number, overrides: Partial<CrioOptions> = {}): Promise<TestNode> {
    const node = await TestNode.prepare(subnetByte, overrides);
    try {
      node.cri = await startCrio(node.options);
      return node;
    } catch (error) {
      await node.destroy();
      throw error;
    }
  }

  /** Everything this node made is gone afterwards. */
  async destroy(): Promise<void> {
    await this.cri?.destroyPods().catch((error: unknown) => console.error(error));
    await this.cri?.stop();
    for (const m of (await mounts()).filter((m) => m.mountPoint.startsWith(this.dir)).reverse()) await umountAll(m.mountPoint);
    await rm(this.dir, { recursive: true, force: true });
  }
}
