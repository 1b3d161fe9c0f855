import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A cluster for measuring, in folders of its own. */
export class BenchCluster {
  constructor(name = 'bench') {
    this.name = name;
    this.folder = mkdtempSync(join(tmpdir(), 'cox-bench-'));
    this.env = {
      ...process.env,
      COXSWAIN_STATE_DIR: join(this.folder, 'state'),
      COXSWAIN_RUN_DIR: join(this.folder, 'run'),
      KUBECONFIG: join(this.folder, 'kubeconfig'),
    };
  }

  cox(...args) {
    const result = spawnSync(process.execPath, [join(root, 'apps/cox/dist/cox.mjs'), ...args], { env: this.env, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`cox ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  }

  up() {
    const begun = performance.now();
    // Without its cloud, which takes the nodes of `sched` for machines that are gone.
    this.cox('up', '--name', this.name, '--log-level', 'warn', '--no-cloud');
    return performance.now() - begun;
  }

  stop() {
    this.cox('down', '--name', this.name);
  }

  get config() {
    return JSON.parse(readFileSync(join(this.folder, 'state', this.name, 'cluster.json'), 'utf8'));
  }

  get credentials() {
    const { paths, ports } = this.config;
    const read = (file) => readFileSync(join(paths.pki, file));
    return { server: `https://127.0.0.1:${ports.apiServer}`, ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') };
  }

  loadGuestbook() {
    const archive = join(this.folder, 'guestbook.tar');
    const made = spawnSync(process.execPath, [join(root, 'examples/guestbook/build-image.mjs'), archive], { cwd: root, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`the guestbook's image was not made: ${made.stderr}`);
    this.cox('image', 'load', '--name', this.name, archive);
  }

  /** Resident memory by process, MiB; that of their supervisors together. */
  memory() {
    const { run } = this.config.paths;
    const roles = readdirSync(join(run, 'supervised'));
    const supervisors = roles.map((role) => resident(join(run, 'supervised', role, 'pid')));
    const own = roles.map((role) => [role, resident(join(run, `${role}.pid`))]);
    return { ...Object.fromEntries(own), supervisors: supervisors.reduce((sum, each) => sum + each, 0) };
  }

  remove() {
    spawnSync(process.execPath, [join(root, 'apps/cox/dist/cox.mjs'), 'down', '--name', this.name, '--purge'], { env: this.env });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** MiB, of the process that a file names. */
function resident(file) {
  const { pid } = JSON.parse(readFileSync(file, 'utf8'));
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(rss?.[1] ?? 0) / 1024;
}
