import { once } from 'node:events';
import { connect as connectH2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { createCa, issueCertificate } from '@coxswain/pki';
import { type Clock, systemClock } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import type { TestServer } from '../testing/start-test-server.js';

const HOUR = 3_600_000;

describe('what browsers are told', () => {
  it('pages of allowed origins may use the API, others are not told so', async () => {
    await using api = await startTestServer({ corsAllowedOrigins: [/\/\/console\.example\.org$/], hstsDirectives: ['max-age=600', 'includeSubDomains'] });
    const good = await api.call('GET', '/version', undefined, { headers: { origin: 'https://console.example.org' } });
    expect(good.headers).toMatchObject({
      'access-control-allow-origin': 'https://console.example.org',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'Date',
      'strict-transport-security': 'max-age=600; includeSubDomains',
    });
    // A preflight comes without credentials.
    const preflight = await api.call('OPTIONS', '/api/v1/pods', undefined, { token: '', headers: { origin: 'https://console.example.org' } });
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'POST, GET, OPTIONS, PUT, DELETE, PATCH']);
    const other = await api.call('GET', '/version', undefined, { headers: { origin: 'https://console.example.org.evil.net' } });
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
    expect(other.headers['strict-transport-security']).toBe('max-age=600; includeSubDomains');
  });

  it('nothing, unless asked to', async () => {
    await using api = await startTestServer();
    const { headers } = await api.call('GET', '/version', undefined, { headers: { origin: 'https://console.example.org' } });
    expect(Object.keys(headers).filter((name) => /^(access-control|strict)/.test(name))).toEqual([]);
  });
});

describe('HTTP/2 connections', () => {
  const open = async (api: TestServer): Promise<ClientHttp2Session> => {
    const session = connectH2(`https://127.0.0.1:${api.server.port}`, { ca: api.ca });
    await once(session, 'remoteSettings');
    return session;
  };
  const statusOf = async (session: ClientHttp2Session): Promise<unknown> => {
    const stream = session.request({ ':path': '/version', authorization: 'Bearer admin' });
    const [headers] = await once(stream, 'response');
    stream.resume();
    return headers[':status'];
  };

  it('are ended by chance after an answer, and carry no more streams than allowed', async () => {
    await using api = await startTestServer({ goawayChance: 1, http2MaxStreams: 7 });
    const session = await open(api);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(7);
    const goaway = once(session, 'goaway');
    expect(await statusOf(session)).toBe(200);
    await goaway;
    await once(session, 'close');
  });

  it('stay by default', async () => {
    await using api = await startTestServer();
    const session = await open(api);
    session.once('goaway', () => expect.unreachable());
    for (let i = 0; i < 50; i++) expect(await statusOf(session)).toBe(200);
    session.destroy();
  });
});

describe('TLS', () => {
  const peerOf = (api: TestServer, options: ConnectionOptions): Promise<{ commonName: string; protocol: string | null; cipher: string }> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port: api.server.port, rejectUnauthorized: false, ...options }, () => {
        const commonName = String(socket.getPeerCertificate().subject.CN);
        resolve({ commonName, protocol: socket.getProtocol(), cipher: socket.getCipher().name });
        socket.destroy();
      });
      socket.on('error', reject);
    });
  const leaf = async (commonName: string, dnsNames: string[]) => {
    const now = systemClock.now();
    return issueCertificate(await createCa('sni', now, HOUR), { usage: 'server', subject: { commonName }, dnsNames, now, validForMs: HOUR });
  };

  it('shows the certificate of the host that is asked for', async () => {
    const named = await leaf('named', ['wild.example.org']);
    const extracted = await leaf('extracted', ['wild.example.org', '*.example.com']);
    const base = { names: ['*.example.org', 'API.example.net'], ...named };
    const { server: first } = await startTestServer();
    const { tls } = first.options;
    await first.stop(AbortSignal.abort());
    await using api = await startTestServer({ tls: { ...tls, sni: [base, { names: [], ...extracted }] } });
    const nameFor = async (servername: string) => (await peerOf(api, { servername })).commonName;
    expect(await nameFor('api.example.net')).toBe('named');
    expect(await nameFor('a.example.org')).toBe('named');
    // An exact name trumps a pattern, wherever it comes from.
    expect(await nameFor('wild.example.org')).toBe('extracted');
    expect(await nameFor('a.example.com')).toBe('extracted');
    expect(await nameFor('a.b.example.com')).toBe('apiserver');
    expect(await nameFor('other.example.net')).toBe('apiserver');
  });

  it('speaks no older version than asked for, and only the ciphers asked for', async () => {
    await using strict = await startTestServer({ tlsLimits: { minVersion: 'TLSv1.3' } });
    await expect(peerOf(strict, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/i);
    expect((await peerOf(strict, {})).protocol).toBe('TLSv1.3');
    await using chosen = await startTestServer({ tlsLimits: { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384' } });
    expect(await peerOf(chosen, { maxVersion: 'TLSv1.2' })).toMatchObject({ cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
    await expect(peerOf(chosen, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).rejects.toThrow();
  });
});

it('a server that is to stop says so on /readyz, and serves on until the delay is over', async () => {
  let over = () => {};
  const delayed = new Promise<void>((resolve) => (over = resolve));
  const clock: Clock = { ...systemClock, sleep: (ms, signal) => (ms === 4242 ? delayed : systemClock.sleep(ms, signal)) };
  const api = await startTestServer({ clock, shutdownDelayMs: 4242 });
  const stopped = api.server.stop(new AbortController().signal);
  expect((await api.call('GET', '/readyz')).status).toBe(500);
  expect((await api.call('GET', '/livez')).status).toBe(200);
  expect((await api.call('GET', '/api/v1/namespaces')).status).toBe(200);
  over();
  await stopped;
  await expect(api.call('GET', '/livez')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
  await api[Symbol.asyncDispose]();
});
