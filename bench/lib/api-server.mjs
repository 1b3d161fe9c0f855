import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './cluster.mjs';
import { ApiClient } from './http.mjs';

/** An API server by itself, on the embedded store, in a process and a folder of its own. */
export class BenchApiServer {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'cox-bench-'));
    writeFileSync(join(this.folder, 'tokens.csv'), 'bench,bench,bench,"system:masters"\n');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(this.folder, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }

  /** Put small config maps into the store of the stopped server: `outside` in a hundred namespaces, `inside` in one named `inside`. */
  fill(outside, inside) {
    const args = ['--conditions=coxswain-source', '--import', 'tsx', join(root, 'bench/fill-store.ts'), join(this.folder, 'store'), outside, inside];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }

  /** Resolves with the milliseconds until it was ready. */
  async start() {
    this.port = await freePort();
    const file = (name) => join(this.folder, name);
    const flags = {
      store: file('store'),
      'secure-port': this.port,
      'bind-address': '127.0.0.1',
      'advertise-address': '127.0.0.1',
      'cert-dir': file('certificates'),
      'token-auth-file': file('tokens.csv'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-signing-key-file': file('sa.key'),
      'service-account-key-file': file('sa.key'),
      'log-level': 'error',
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const begun = performance.now();
    this.child = spawn(process.execPath, [join(root, 'apps/cox/dist/cox.mjs'), 'apiserver', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    this.api = new ApiClient({ server: `https://127.0.0.1:${this.port}`, token: 'bench', rejectUnauthorized: false });
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`the API server ended with ${this.child.exitCode}`);
      const ready = await this.api.send('GET', '/readyz').catch(() => undefined);
      if (ready) return performance.now() - begun;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** CPU time so far, microseconds, of all its threads. */
  get cpu() {
    const tasks = `/proc/${this.child.pid}/task`;
    return readdirSync(tasks).reduce((sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000, 0);
  }

  /** Resident memory, MiB. */
  get memory() {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))[1]) / 1024;
  }

  async stop() {
    this.api.close();
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await gone;
  }

  remove() {
    this.child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
