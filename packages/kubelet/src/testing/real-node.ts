import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectCri, type CriConnection } from '@coxswain/cri';
import { Cgroup, mounts, umountAll } from '@coxswain/linux';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { Kubelet } from '../kubelet.js';
import type { KubeletConfig } from '../options.js';
import { FakeApi } from './fake-api.js';

/** A CRI server with the image `example.test/busybox:1`. */
export interface TestRuntime {
  readonly endpoint: string;
  /** Stops it with all its pods. */
  destroy(): Promise<void>;
}

/** A kubelet on a real container runtime; only the API is in memory. Pods get addresses in 10.<byte>.0.0/24. */
export class RealNode {
  readonly api = new FakeApi();
  runtime!: TestRuntime;
  connection!: CriConnection;
  kubelet!: Kubelet;

  private constructor(
    readonly dir: string,
    private readonly config: KubeletConfig,
  ) {}

  static async start(subnetByte: number, startRuntime: (dir: string) => Promise<TestRuntime>, config: KubeletConfig = {}): Promise<RealNode> {
    const dir = await mkdtemp(join(tmpdir(), 'kubelet-sys-'));
    const node = new RealNode(dir, { cgroupRoot: `/kubelet-test-${process.pid}-${subnetByte}`, ...config });
    try {
      await mkdir(join(dir, 'cni'));
      const plugins = [
        {
          type: 'ptp',
          ipMasq: false,
          ipam: { type: 'host-local', subnet: `10.${subnetByte}.0.0/24`, dataDir: join(dir, 'ipam'), routes: [{ dst: '0.0.0.0/0' }] },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ];
      await writeFile(join(dir, 'cni', '10-test.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: `kubelet${subnetByte}`, plugins }));
      node.runtime = await startRuntime(dir);
      node.connection = connectCri({ endpoint: node.runtime.endpoint });
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
      {
        nodeName: 'node-1',
        nodeIPs: ['127.0.0.1'],
        address: '127.0.0.1',
        port: 0,
        rootDir: join(dir, 'kubelet'),
        podLogsDir: join(dir, 'logs', 'pods'),
        containerLogsDir: join(dir, 'logs', 'containers'),
        authentication: { anonymous: true, webhook: false },
        authorization: 'AlwaysAllow',
        evictionHard: {},
        ...this.config,
      },
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
    await this.runtime?.destroy();
    for (const m of (await mounts()).filter((x) => x.mountPoint.startsWith(this.dir)).reverse()) await umountAll(m.mountPoint);
    await rm(this.dir, { recursive: true, force: true });
    await (await Cgroup.at(this.config.cgroupRoot ?? '/none')).delete().catch((error: unknown) => console.error(error));
  }
}
