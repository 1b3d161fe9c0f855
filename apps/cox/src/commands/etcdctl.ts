import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { controlPlaneViews, etcdAccess, type ExternalEtcd } from '@coxswain/cluster';
import { CliError } from '@coxswain/command';
import { createCa, issueCertificate } from '@coxswain/pki';
import { requireCluster } from '../cluster/clusters.js';

/** Runs the machine's etcdctl; this process ends with its exit code. */
export async function etcdctl(args: readonly string[], { name }: { readonly name: string }): Promise<void> {
  const [view] = controlPlaneViews(requireCluster(name));
  if (!view) throw new CliError(`cluster "${name}" has no control plane`);
  const files: number[] = [];
  const access = etcdAccess(view) ?? (await embedded(view.paths.etcdSocket, files));
  process.exit(await run([...accessFlags(access), ...args], files));
}

function accessFlags({ endpoints, caFile, certFile, keyFile }: ExternalEtcd): string[] {
  const files = { cacert: caFile, cert: certFile, key: keyFile };
  return ['--endpoints', endpoints.join(), ...Object.entries(files).flatMap(([flag, file]) => (file === undefined ? [] : [`--${flag}`, file]))];
}

/**
 * A port before the socket of the embedded store, for as long as this process lives: etcdctl 3.4 writes a socket's path where HTTP/2 wants a host,
 * and Node refuses it. Only who has the certificate made for this once gets in: a port is open to every user of the machine.
 */
async function embedded(socket: string, files: number[]): Promise<ExternalEtcd> {
  const [now, validForMs] = [Date.now(), 24 * 3_600_000];
  const ca = await createCa('cox-etcdctl-ca', now, validForMs);
  const [server, client] = await Promise.all(
    (['server', 'client'] as const).map((usage) =>
      issueCertificate(ca, { subject: { commonName: 'cox-etcdctl' }, usage, ipAddresses: ['127.0.0.1'], now, validForMs }),
    ),
  );
  if (!server || !client) throw new Error('no certificates');
  files.push(...[ca.cert, client.cert, client.key].map(namelessFile));
  const listener = createServer({ ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'] }, (outer) => {
    const inner = connect(socket);
    outer.on('error', () => inner.destroy());
    inner.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') process.stderr.write(`the control plane does not run: start it with: cox up\n`);
      outer.destroy();
    });
    outer.pipe(inner).pipe(outer);
  });
  listener.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => listener.once('error', reject).listen(0, '127.0.0.1', resolve));
  return { endpoints: [`https://127.0.0.1:${(listener.address() as AddressInfo).port}`], caFile: inherited(0), certFile: inherited(1), keyFile: inherited(2) };
}

/** The n-th of the files, as etcdctl sees it. */
const inherited = (n: number) => `/dev/fd/${3 + n}`;

/** However we end, no key stays behind. */
function namelessFile(content: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'cox-etcdctl-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, content, { mode: 0o600 });
    return openSync(path, 'r');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[], files: readonly number[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('etcdctl', args, { stdio: ['inherit', 'inherit', 'inherit', ...files], env: { ...process.env, ETCDCTL_API: '3' } });
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new CliError('etcdctl is not installed', 'apt-get install etcd-client') : error),
    );
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
    // Ctrl-C is for etcdctl, which then ends; we after it.
    process.on('SIGINT', () => {});
  });
}
