import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { clientConfig, HttpsTransport, KubeClient, readKubeconfig, type Transport } from '@coxswain/client';
import { issueCertificate } from '@coxswain/pki';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { FakeRandom } from '@coxswain/sdk-testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlPlane } from '../testing/control-plane.js';
import { bootstrapKubeconfig } from './bootstrap.js';
import { clientOrder, fulfils, orderCertificate, servingOrder } from './certificate-order.js';
import { CertificateRotation, rotationDeadline } from './certificate-rotation.js';
import { CertificateStore } from './certificate-store.js';
import { RotatingTransport } from './rotating-transport.js';
const soon = { timeout: 30_000, interval: 20 };
const never = new AbortController().signal;
let plane: ControlPlane;
let folder: string;
let store: CertificateStore;
let kubeconfig: string;
let stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  plane = await ControlPlane.start();
});
afterAll(() => plane.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(plane.folder, 'node-'));
  store = new CertificateStore(join(folder, 'pki'), 'kubelet-client');
  kubeconfig = join(folder, 'kubelet.conf');
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

const bootstrap = (nodeName: string, signal: AbortSignal = never) =>
  bootstrapKubeconfig(
    { kubeconfig, bootstrapKubeconfig: plane.bootstrapKubeconfig, store, nodeName, userAgent: 'kubelet/test', clock: systemClock, logger: silentLogger },
    signal,
  );
const transportOf = (path: string) => new HttpsTransport(clientConfig(readKubeconfig({ path })).transport);
async function whoami(transport: Transport): Promise<unknown> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} };
  const client = new KubeClient({ transport });
  return (
    await client.rest.json<{ status: { userInfo: unknown } }>({ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: review })
  ).status.userInfo;
}
const mine = async (nodeName: string) => {
  const all = await Promise.all((await plane.requests()).map(async (csr) => ({ csr, text: Buffer.from(csr.spec.request, 'base64').toString() })));
  const { parseSigningRequest } = await import('@coxswain/pki');
  const found = await Promise.all(all.map(async (r) => ({ csr: r.csr, cn: (await parseSigningRequest(r.text)).subject.commonName })));
  return found.filter((r) => r.cn === `system:node:${nodeName}`).map((r) => r.csr);
};

describe('TLS bootstrap with a token', () => {
  it('goes on with the same request when it was interrupted before anybody approved it', async () => {
    const interrupted = new AbortController();
    const first = bootstrap('node-1', interrupted.signal);
    await vi.waitFor(async () => expect(await mine('node-1')).toHaveLength(1), soon);
    interrupted.abort(new Error('killed'));
    await expect(first).rejects.toThrow('killed');
    expect(existsSync(kubeconfig)).toBe(false);

    await plane.approveNodes();
    await bootstrap('node-1');
    expect(await mine('node-1')).toHaveLength(1);
    expect(lstatSync(store.currentPath).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(folder, 'pki')).sort()).toEqual([
      expect.stringMatching(/^kubelet-client-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.pem$/),
      'kubelet-client-current.pem',
    ]);
    expect(statSync(store.currentPath).mode & 0o777).toBe(0o600);
    const transport = transportOf(kubeconfig);
    stops.push(() => transport.close());
    expect(await whoami(transport)).toMatchObject({ username: 'system:node:node-1', groups: ['system:nodes', 'system:authenticated'] });
  });

  it('is approved by the controller under the bindings kubeadm makes', async () => {
    await bootstrap('node-2');
    const [csr] = await mine('node-2');
    expect(csr).toMatchObject({
      spec: {
        signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
        username: 'system:bootstrap:abcdef',
        usages: ['digital signature', 'client auth'],
      },
      status: { conditions: [{ type: 'Approved', reason: 'AutoApproved' }] },
    });
  });

  it('does nothing when the kubeconfig is good; writes it again when only it is missing; starts over when the certificate is damaged', async () => {
    await bootstrap('node-3');
    const written = readFileSync(kubeconfig, 'utf8');
    const { ino } = statSync(kubeconfig);
    await bootstrap('node-3');
    expect(statSync(kubeconfig).ino).toBe(ino);

    rmSync(kubeconfig);
    await bootstrap('node-3');
    expect(readFileSync(kubeconfig, 'utf8')).toBe(written);
    expect(await mine('node-3')).toHaveLength(1);

    writeFileSync(store.currentPath, '-----BEGIN CERTIFICATE-----\nhalf');
    await bootstrap('node-3');
    expect(await mine('node-3')).toHaveLength(2);
    expect(fulfils(store.current()?.cert ?? '', clientOrder('node-3'), Date.now())).toBe(true);
  });

  it('asks again with another key when it is denied', async () => {
    const order = { ...servingOrder('node-4', ['node-4'], []), signerName: 'kubernetes.io/kubelet-serving' as const };
    const client = new KubeClient({ transport: transportOf(plane.bootstrapKubeconfig) });
    stops.push(() => client.close());
    const asked = orderCertificate(client, store, order, systemClock, never);
    asked.catch(() => {});
    await vi.waitFor(async () => expect(await mine('node-4')).toHaveLength(1), soon);
    const [csr] = await mine('node-4');
    await plane.decide(csr?.metadata.name ?? '', 'Denied');
    await expect(asked).rejects.toThrow('is denied, reason: Test, message: by hand');
    const again = new AbortController();
    const second = orderCertificate(client, store, order, systemClock, again.signal);
    second.catch(() => {});
    await vi.waitFor(async () => expect(await mine('node-4')).toHaveLength(2), soon);
    again.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
  });
});

describe('rotation', () => {
  const keep = { clock: systemClock, random: systemRandom, logger: silentLogger };

  it('is due after 70 to 90 % of the life of a certificate', async () => {
    const now = Date.now();
    const { cert } = await issueCertificate(plane.ca, { subject: { commonName: 'a' }, usage: 'client', now, validForMs: 95 * 60_000 });
    const random = new FakeRandom(1);
    // Certificates begin five minutes early here.
    const shares = Array.from({ length: 100 }, () => (rotationDeadline(cert, random) - now + 5 * 60_000) / (100 * 60_000));
    expect(Math.min(...shares)).toBeGreaterThan(0.69);
    expect(Math.max(...shares)).toBeLessThan(0.91);
    expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.1);
  });

  it('renews a client certificate before it runs out, and connections go on with the new one', async () => {
    await bootstrap('node-5');
    const now = Date.now();
    const subject = { commonName: 'system:node:node-5', organizations: ['system:nodes'] };
    // Of its life, five minutes early included, more than 90 % are over.
    const old = await issueCertificate(plane.ca, { subject, usage: 'client', now, validForMs: 25_000 });
    store.update(old, now + 1000);
    let rotation: CertificateRotation | undefined;
    const transport = new RotatingTransport(
      () => new HttpsTransport({ ...clientConfig(readKubeconfig({ path: kubeconfig })).transport, ...rotation?.current }),
    );
    const client = new KubeClient({ transport });
    const watch = client.rest.stream({ method: 'GET', path: '/api/v1/nodes', query: 'watch=true&fieldSelector=metadata.name%3Dnode-5' });
    rotation = new CertificateRotation({ ...keep, name: 'client-certificate', store, order: clientOrder('node-5'), client });
    stops.push(
      () => rotation?.stop() ?? Promise.resolve(),
      () => client.close(),
    );
    const told: string[] = [];
    rotation.onChange((pair) => {
      told.push(pair.cert);
      transport.rotate();
    });
    const { chunks } = await watch;
    await rotation.start();
    await vi.waitFor(() => expect(told).toHaveLength(1), soon);
    expect(told[0]).not.toBe(old.cert);
    expect(store.current()?.cert).toBe(told[0]);
    // The watch on the old connection ends (else this does not): its user watches again on the new one.
    await (async () => {
      for await (const _chunk of chunks);
    })().catch(() => {});
    expect(await whoami(transport)).toMatchObject({ username: 'system:node:node-5' });
    const renewals = (await mine('node-5')).filter((csr) => csr.spec.username === 'system:node:node-5');
    expect(renewals).toHaveLength(1);
    expect(renewals[0]?.status?.conditions?.[0]?.message).toMatch(/self kubelet client certificate/);
  });

  it('ends when the certificate ran out and the server knows us no more, for the next start to bootstrap', async () => {
    const now = Date.now();
    const subject = { commonName: 'system:node:node-7', organizations: ['system:nodes'] };
    store.update(await issueCertificate(plane.ca, { subject, usage: 'client', now, validForMs: 1500 }), now);
    const { token: _token, ...unknown } = clientConfig(readKubeconfig({ path: plane.bootstrapKubeconfig })).transport;
    const client = new KubeClient({ transport: new HttpsTransport(unknown) });
    const rotation = new CertificateRotation({ ...keep, name: 'client-certificate', store, order: clientOrder('node-7'), client, giveUpAfterMs: 0 });
    stops.push(
      () => rotation.stop(),
      () => client.close(),
    );
    const phases: string[] = [];
    rotation.state$.subscribe(({ phase }) => void phases.push(phase));
    await rotation.start();
    await vi.waitFor(() => expect(phases.at(-1)).toBe('failed'), soon);
  });

  it('gets a serving certificate for the names of the node, once somebody approves it', async () => {
    await bootstrap('node-6');
    const client = new KubeClient({ transport: transportOf(kubeconfig) });
    const serving = new CertificateStore(join(folder, 'pki'), 'kubelet-server');
    const order = servingOrder('node-6', ['node-6'], ['192.0.2.6']);
    const rotation = new CertificateRotation({ ...keep, name: 'serving-certificate', store: serving, order, client });
    stops.push(
      () => rotation.stop(),
      () => client.close(),
    );
    expect(rotation.current).toBeUndefined();
    await rotation.start();
    const pending = async () => (await mine('node-6')).filter((csr) => csr.spec.signerName === 'kubernetes.io/kubelet-serving');
    await vi.waitFor(async () => expect(await pending()).toHaveLength(1), soon);
    await plane.decide((await pending())[0]?.metadata.name ?? '', 'Approved');
    await vi.waitFor(() => expect(rotation.current).toBeDefined(), soon);
    expect(fulfils(rotation.current?.cert ?? '', order, Date.now())).toBe(true);
    expect(fulfils(rotation.current?.cert ?? '', servingOrder('node-6', ['node-6'], ['192.0.2.7']), Date.now())).toBe(false);
  });
});

it('the current certificate is whole at every instant: a link that was half swapped is swapped again', async () => {
  const now = Date.now();
  const one = await issueCertificate(plane.ca, { subject: { commonName: 'one' }, usage: 'client', now, validForMs: 60_000 });
  const two = await issueCertificate(plane.ca, { subject: { commonName: 'two' }, usage: 'client', now, validForMs: 60_000 });
  store.update(one, now);
  symlinkSync('nowhere', `${store.currentPath}.tmp`);
  expect(store.current()).toEqual(one);
  store.update(two, now + 1000);
  expect(store.current()).toEqual(two);
  expect(existsSync(`${store.currentPath}.tmp`)).toBe(false);
});
