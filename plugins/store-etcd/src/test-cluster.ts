import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@coxswain/sdk';
import { type EtcdStoreOptions, openEtcdStore } from './open-etcd-store.js';

export interface TestMember {
  readonly name: string;
  readonly url: string;
  readonly peer: string;
  process: ChildProcess | undefined;
}

export interface TestClusterOptions {
  readonly members?: number;
  /** Keep the data in memory: for tests that need many clusters and no crash. */
  readonly inMemory?: boolean;
  /** PEM files of the members: they then serve https and want client certificates. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** PEM files of a client they accept. */
  readonly clientTls?: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly flags?: readonly string[];
}

/** A real etcd cluster on loopback, in a folder of its own. */
export class TestCluster {
  readonly members: TestMember[] = [];
  readonly #dir: string;

  private constructor(readonly options: TestClusterOptions) {
    const memory = '/dev/shm';
    this.#dir = mkdtempSync(join(options.inMemory && existsSync(memory) ? memory : tmpdir(), 'store-etcd-'));
  }

  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    const ports = await freePorts(2 * (options.members ?? 3));
    for (let i = 0; i < ports.length / 2; i++) {
      const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${ports[2 * i]}`;
      cluster.members.push({ name: `m${i}`, url, peer: `http://127.0.0.1:${ports[2 * i + 1]}`, process: undefined });
    }
    try {
      for (const member of cluster.members) cluster.run(member);
      await cluster.ready();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get endpoints(): string[] {
    return this.members.map((m) => m.url);
  }

  open(options: Partial<EtcdStoreOptions> = {}) {
    return openEtcdStore({ endpoints: this.endpoints, clock: systemClock, random: systemRandom, ...options });
  }

  run(member: TestMember): void {
    const { tls, flags = [] } = this.options;
    const data = join(this.#dir, member.name);
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const certificates = tls ? ['--cert-file', tls.cert, '--key-file', tls.key, '--trusted-ca-file', tls.ca, '--client-cert-auth'] : [];
    const child = spawn(
      'etcd',
      [
        ...['--name', member.name, '--data-dir', data, '--initial-cluster-token', this.#dir, '--initial-cluster-state', 'new'],
        ...['--initial-cluster', this.members.map((m) => `${m.name}=${m.peer}`).join(',')],
        ...['--listen-client-urls', member.url, '--advertise-client-urls', member.url],
        ...['--listen-peer-urls', member.peer, '--initial-advertise-peer-urls', member.peer],
        ...['--heartbeat-interval', '50', '--election-timeout', '500', '--logger', 'zap', '--log-outputs', '/dev/null'],
        ...certificates,
        ...flags,
      ],
      { stdio: 'ignore', env: { PATH: process.env.PATH } },
    );
    child.once('error', () => {});
    member.process = child;
  }

  async kill(member: TestMember, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = member.process;
    member.process = undefined;
    if (!child || child.exitCode !== null || child.pid === undefined) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** Resolves once the cluster takes requests. */
  async ready(): Promise<void> {
    if (this.members.some((m) => m.process?.pid === undefined)) throw new Error('etcd is missing: apt-get install etcd-server etcd-client');
    const { clientTls: tls } = this.options;
    const files = tls ? { caFile: tls.ca, certFile: tls.cert, keyFile: tls.key } : {};
    for (const { url } of this.members) {
      const store = this.open({ endpoints: [url], requestTimeoutMs: 30_000, ...files });
      await store.range({ key: '/' }).finally(() => store.close());
    }
  }

  /** The member that leads at the moment. */
  async leader(): Promise<TestMember> {
    for (const member of this.members) {
      const { stdout } = await run('etcdctl', ['--endpoints', member.url, 'endpoint', 'status', '-w', 'json']);
      const [status] = JSON.parse(stdout) as { Status: { leader: number; header: { member_id: number } } }[];
      if (status && status.Status.leader === status.Status.header.member_id) return member;
    }
    throw new Error('no member leads');
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => this.kill(member)));
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): Promise<{ stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, ETCDCTL_API: '3' } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve({ stdout }) : reject(new Error(`${command}: ${stderr}`))));
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
