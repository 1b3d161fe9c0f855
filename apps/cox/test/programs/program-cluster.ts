import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCa, createServiceAccountKeys, issueCertificate, type KeyPairPem, mergeKubeconfigFile } from '@coxswain/pki';
import { cleanCrioState, importCrioImage, killMonitors } from '@coxswain/cri-o';
import { Cgroup, mounts, umountAll } from '@coxswain/linux';
import { claimIndex, freePorts } from '@coxswain/sdk-testing';
import { stringify } from 'yaml';
import { command, coxProgram, eventually, guestbook } from '../cluster-fixture.js';

export const TOKEN = 'abcdef.0123456789abcdef';

/** A cluster of one node, each component a process of its own with the arguments kubeadm gives upstream's, on a real etcd. */
export class ProgramCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'cox-programs-'));
  readonly node = 'programs-1';
  readonly #index = claimIndex();
  readonly #running = new Map<string, ChildProcess>();
  readonly #logs = new Map<string, string>();
  ports = { etcd: 0, etcdPeer: 0, api: 0, manager: 0, scheduler: 0, kubelet: 0, healthz: 0, proxyHealthz: 0, proxyMetrics: 0 };

  file(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  get podCidr(): string {
    return `10.${244 - this.#index.value}.0.0/16`;
  }

  get serviceCidr(): string {
    return `10.${96 + this.#index.value}.0.0/16`;
  }

  get bridge(): string {
    return `coxp${this.#index.value}`;
  }

  get cgroup(): string {
    return `/cox-programs-${process.pid}`;
  }

  /** What `kubeadm init` makes before it starts anything. */
  async prepare(): Promise<void> {
    this.ports = await freePorts(...(Object.keys(this.ports) as (keyof typeof this.ports)[]));
    for (const folder of ['pki', 'manifests', 'cni', 'etcd']) mkdirSync(this.file(folder));
    const [now, validForMs] = [Date.now(), 3_600_000];
    const write = (name: string, pair: KeyPairPem) => {
      writeFileSync(this.file('pki', `${name}.crt`), pair.cert);
      writeFileSync(this.file('pki', `${name}.key`), pair.key, { mode: 0o600 });
    };
    const [ca, front] = await Promise.all([createCa('kubernetes', now), createCa('front-proxy-ca', now)]);
    write('ca', ca);
    write('front-proxy-ca', front);
    const client = (commonName: string, ...organizations: string[]) =>
      issueCertificate(ca, { subject: { commonName, organizations }, usage: 'client', now, validForMs });
    write('apiserver-kubelet-client', await client('kube-apiserver-kubelet-client', 'system:masters'));
    write('front-proxy-client', await issueCertificate(front, { subject: { commonName: 'front-proxy-client' }, usage: 'client', now, validForMs }));
    write(
      'apiserver',
      await issueCertificate(ca, {
        subject: { commonName: 'kube-apiserver' },
        usage: 'server',
        ipAddresses: ['127.0.0.1'],
        dnsNames: ['kubernetes'],
        now,
        validForMs,
      }),
    );
    const keys = createServiceAccountKeys();
    writeFileSync(this.file('pki', 'sa.key'), keys.privateKey, { mode: 0o600 });
    writeFileSync(this.file('pki', 'sa.pub'), keys.publicKey);
    const server = { server: `https://127.0.0.1:${this.ports.api}`, certificateAuthority: ca.cert };
    const users: Record<string, [string, ...string[]]> = {
      admin: ['kubernetes-admin', 'system:masters'],
      'controller-manager': ['system:kube-controller-manager'],
      scheduler: ['system:kube-scheduler'],
      'kube-proxy': ['system:kube-proxy'],
    };
    for (const [name, [user, ...groups]] of Object.entries(users)) {
      const { cert, key } = await client(user, ...groups);
      mergeKubeconfigFile(this.file(`${name}.conf`), { name: 'programs', cluster: server, user: { clientCertificate: cert, clientKey: key } });
    }
    mergeKubeconfigFile(this.file('bootstrap-kubelet.conf'), { name: 'programs', cluster: server, user: { token: TOKEN } });
    const bridge = { type: 'bridge', bridge: this.bridge, isDefaultGateway: true, ipMasq: true, hairpinMode: true };
    const ipam = { type: 'host-local', ranges: [[{ subnet: this.podCidr.replace('/16', '/24') }]], dataDir: this.file('leases') };
    writeFileSync(
      this.file('cni', '10-pods.conflist'),
      JSON.stringify({
        cniVersion: '1.1.0',
        name: `programs-${this.bridge}`,
        plugins: [
          { ...bridge, ipam },
          { type: 'portmap', capabilities: { portMappings: true } },
        ],
      }),
    );
  }

  /** The guestbook's image, into the image store of the node. */
  async loadGuestbook(): Promise<void> {
    const archive = this.file('guestbook.tar');
    const { code, stderr } = await command(process.execPath, [join(guestbook, 'build-image.mjs'), archive]);
    if (code !== 0) throw new Error(`building the image: ${stderr}`);
    await importCrioImage(this.file('crio'), createReadStream(archive));
  }

  /** Start a program under a name; its log is kept. */
  start(name: string, program: string, ...args: string[]): void {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, COXSWAIN_STATE_DIR: this.file('state') } });
    this.#running.set(name, child);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => this.#logs.set(name, `${this.#logs.get(name) ?? ''}${chunk.toString()}`));
  }

  cox(name: string, component: string, ...args: string[]): void {
    this.start(name, process.execPath, coxProgram, component, ...args);
  }

  /** Ends with a signal; answers the exit code. */
  async end(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return gone;
  }

  /** Waits for what a program brings about; when it does not, its last words are in the error. */
  async until<T>(name: string, what: string, look: () => Promise<T>): Promise<T> {
    try {
      return await eventually(what, async () => {
        const code = this.#running.get(name)?.exitCode;
        if (code !== null && code !== undefined) throw new Error(`${name} ended with ${code}`);
        return look();
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${name} said:\n${(this.#logs.get(name) ?? '').split('\n').slice(-15).join('\n')}`, { cause: error });
    }
  }

  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const kubectl = new URL('../../../../.cache/bin/kubectl', import.meta.url).pathname;
    const { code, stdout, stderr } = await command(kubectl, args, { env: { KUBECONFIG: this.file('admin.conf') }, ...(input === undefined ? {} : { input }) });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async apply(...objects: readonly object[]): Promise<void> {
    await this.kubectl(['apply', '-f', '-'], objects.map((o) => stringify(o)).join('---\n'));
  }

  /** Status and body over HTTPS, whatever the certificate. */
  get(port: number, path: string, token?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const sent = request({ host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false, timeout: 5000 }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (c: Buffer) => chunks.push(c));
        answer.on('end', () => resolve(`${answer.statusCode} ${Buffer.concat(chunks).toString()}`));
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer of port ${port}`)));
      sent.on('error', reject);
      sent.end();
    });
  }

  /** A kubelet links logs where upstream's does, and takes links away in its own time. */
  #removeLogLinks(): void {
    const folder = '/var/log/containers';
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const link = join(folder, name);
      if (lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith(`${this.folder}/`)) rmSync(link);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#running.keys()].reverse()) await this.end(name);
    await command(process.execPath, [coxProgram, 'kube-proxy', '--cleanup']);
    await killMonitors(this.file('crio-run'));
    await cleanCrioState(this.file('crio-run'));
    for (const mount of (await mounts()).filter((m) => m.mountPoint.startsWith(this.folder)).reverse()) await umountAll(mount.mountPoint);
    await (await Cgroup.at(this.cgroup)).delete();
    await command('ip', ['link', 'delete', this.bridge]);
    await command('nft', ['delete', 'table', 'inet', `coxswain-programs-${this.bridge}`]);
    this.#removeLogLinks();
    rmSync(this.folder, { recursive: true, force: true });
    this.#index.release();
  }
}
