import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { umountAll } from '@coxswain/linux';
import { type Clock, silentLogger, systemRandom } from '@coxswain/sdk';
import { Kubelet } from '../kubelet.js';
import type { KubeletConfig } from '../options.js';
import { FakeApi } from './fake-api.js';
import { FakeCri } from './fake-cri.js';

/** A clock that moves when told to. */
export interface TestClock extends Clock {
  advance(ms: number): Promise<void>;
}

/** A kubelet with everything around it in memory and the clock in the test's hand. */
export class NodeUnderTest {
  readonly api = new FakeApi();
  readonly cri: FakeCri;
  kubelet!: Kubelet;

  private constructor(
    readonly dir: string,
    readonly clock: TestClock,
    private readonly config: KubeletConfig,
    events: boolean,
  ) {
    this.cri = new FakeCri(clock, events);
  }

  static async start(clock: TestClock, config: KubeletConfig = {}, events = true): Promise<NodeUnderTest> {
    const node = new NodeUnderTest(await mkdtemp(join(tmpdir(), 'kubelet-')), clock, config, events);
    await node.startKubelet();
    return node;
  }

  async startKubelet(): Promise<void> {
    const { dir, clock } = this;
    this.kubelet = new Kubelet(
      {
        nodeName: 'node-1',
        nodeIPs: ['192.0.2.1'],
        address: '127.0.0.1',
        port: 0,
        rootDir: join(dir, 'root'),
        podLogsDir: join(dir, 'pods'),
        containerLogsDir: join(dir, 'containers'),
        cgroupsPerQOS: false,
        authentication: { anonymous: true, webhook: false },
        authorization: 'AlwaysAllow',
        evictionHard: {},
        ...this.config,
      },
      { client: this.api.client, cri: this.cri.connection, clock, random: systemRandom, logger: silentLogger },
    );
    await this.kubelet.start(AbortSignal.timeout(10_000));
  }

  async stopKubelet(): Promise<void> {
    await this.kubelet.stop(AbortSignal.timeout(5000));
  }

  async destroy(): Promise<void> {
    await this.stopKubelet();
    await umountAll(this.dir);
    await rm(this.dir, { recursive: true, force: true });
  }

  pod(name: string, spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): void {
    this.api.put('/api/v1/namespaces/default/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1, ...metadata },
      spec: { nodeName: 'node-1', restartPolicy: 'Always', terminationGracePeriodSeconds: 30, enableServiceLinks: true, ...spec },
      status: { phase: 'Pending' },
    });
  }

  /** Real I/O happens between turns: wait for it without letting the fake clock's time pass. */
  async until(check: () => boolean, what = check.toString()): Promise<void> {
    for (let i = 0; i < 5000; i++) {
      if (check()) return;
      await turns();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error(`did not happen: ${what}\ncalls: ${this.cri.calls.join(', ')}\nevents: ${this.api.events().join('\n')}`);
  }

  /** The same while the fake clock moves on by `step` ms a turn. */
  async untilWithin(ms: number, check: () => boolean, step = 100): Promise<void> {
    for (let passed = 0; passed <= ms; passed += step) {
      for (let i = 0; i < 5; i++) {
        if (check()) return;
        await turns();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await this.clock.advance(step);
    }
    // The time was enough; on a busy machine real I/O may still be on its way.
    await this.until(check, `within ${ms} ms: ${check.toString()}`);
  }

  phase(name: string): unknown {
    return this.api.pod(name).status?.['phase'];
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests read deep into it
  status(name: string): any {
    return this.api.pod(name).status;
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
