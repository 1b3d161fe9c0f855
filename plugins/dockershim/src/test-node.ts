import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mounts, umountAll } from '@coxswain/linux';
import { cleanDockerdState } from './clean-state.js';
import { type DockerdDaemon, startDockerd } from './dockerd/daemon.js';
import { type Dockershim, type DockershimOptions, startDockershim } from './server.js';

/** A Docker Engine and a CRI server of its own, for system tests; the pods' addresses come from the reference ptp plugin. */
export class TestNode {
  cri!: Dockershim;
  engine!: DockerdDaemon;

  private constructor(
    readonly dir: string,
    readonly options: DockershimOptions,
  ) {}

  get engineState(): string {
    return join(this.dir, 'e');
  }

  /** Everything but the CRI server. `subnetByte`: pods are in 10.<byte>.0.0/24; different for nodes that run at once. */
  static async prepare(subnetByte: number, overrides: Partial<DockershimOptions> = {}): Promise<TestNode> {
    const dir = await mkdtemp(join(tmpdir(), 'cox-dk-'));
    await mkdir(join(dir, 'cni'));
    const ipam = { type: 'host-local', subnet: `10.${subnetByte}.0.0/24`, dataDir: join(dir, 'ipam'), routes: [{ dst: '0.0.0.0/0' }] };
    const plugins = [
      { type: 'ptp', ipMasq: false, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ];
    await writeFile(join(dir, 'cni', '10-test.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: `dk${subnetByte}`, plugins }));
    const node = new TestNode(dir, {
      endpoint: `unix://${dir}/cri.sock`,
      engineSocket: join(dir, 'docker.sock'),
      root: join(dir, 'root'),
      state: join(dir, 'state'),
      cni: { confDir: join(dir, 'cni'), binDirs: ['/usr/lib/cni'] },
      ...overrides,
    });
    try {
      await node.startEngine();
      return node;
    } catch (error) {
      await node.destroy();
      throw error;
    }
  }

  static async start(subnetByte: number, overrides: Partial<DockershimOptions> = {}): Promise<TestNode> {
    const node = await TestNode.prepare(subnetByte, overrides);
    try {
      node.cri = await startDockershim(node.options);
      return node;
    } catch (error) {
      await node.destroy();
      throw error;
    }
  }

  async startEngine(): Promise<void> {
    this.engine = await startDockerd({ root: join(this.dir, 'engine'), state: this.engineState, socket: join(this.dir, 'docker.sock') });
  }

  /** Everything this node made is gone afterwards. */
  async destroy(): Promise<void> {
    await this.cri?.destroyPods().catch((error: unknown) => console.error(error));
    await this.cri?.stop();
    await this.engine?.stop();
    await cleanDockerdState(this.engineState);
    for (const m of (await mounts()).filter((m) => m.mountPoint.startsWith(this.dir)).reverse()) await umountAll(m.mountPoint);
    await rm(this.dir, { recursive: true, force: true });
  }
}
