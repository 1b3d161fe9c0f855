import { randomBytes } from 'node:crypto';
import { connect } from 'node:tls';
import { systemClock } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from './testing/memory-store.js';
import { configMap, startTestServer, type TestServer } from './testing/start-test-server.js';

const PATH = '/api/v1/namespaces/default/configmaps';

describe('a watch from the past', () => {
  it('is served from the history of the store after a restart, and refused when that is compacted', async () => {
    const store = new MemoryStore(systemClock);
    const names: string[] = [];
    let from = '';
    {
      await using first = await startTestServer({ store });
      from = (await first.call('POST', PATH, configMap('before'))).json.metadata.resourceVersion;
      await first.call('POST', PATH, configMap('a', { metadata: { name: 'a', labels: { app: 'x' } } }));
      await first.call('PATCH', `${PATH}/a`, { metadata: { labels: { app: 'y' } } }, { type: 'application/merge-patch+json' });
      await first.call('DELETE', `${PATH}/before`);
    }
    await using second = await startTestServer({ store });
    await second.call('POST', PATH, configMap('after'));
    const events = await second.watch(`${PATH}?watch=true&resourceVersion=${from}&fieldSelector=metadata.name!=kube-root-ca.crt`, (seen) => seen.length >= 4);
    for (const { type, object } of events) names.push(`${type} ${object.metadata.name}`);
    expect(names).toEqual(['ADDED a', 'MODIFIED a', 'DELETED before', 'ADDED after']);
    const left = await second.watch(`${PATH}?watch=true&resourceVersion=${from}&labelSelector=app%3Dx`, (seen) => seen.length >= 2);
    expect(left.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['ADDED a', 'DELETED a']);
    const { revision } = await store.status();
    await store.compact(revision - 1);
    const [gone] = await second.watch(`${PATH}?watch=true&resourceVersion=${from}`, (seen) => seen.length >= 1);
    expect(gone).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    await store.close();
  });

  it("shows a kubelet the pods of its node only, whenever it begins: live, and from the window or the store's history", async () => {
    const store = new MemoryStore(systemClock);
    const pods = '/api/v1/namespaces/default/pods';
    const pod = (name: string, nodeName?: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { nodeName, automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i' }] },
    });
    const expected = ['ADDED mine', 'ADDED later', 'MODIFIED later', 'DELETED mine'];
    const seen = async (api: TestServer, from: string) => {
      const events = await api.watch(
        `/api/v1/pods?watch=true&resourceVersion=${from}&fieldSelector=spec.nodeName%3Dn1`,
        (all) => all.length >= expected.length,
      );
      return events.map(({ type, object }) => `${type} ${object.metadata.name}`);
    };
    let from = '';
    {
      await using api = await startTestServer({ store });
      await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
      from = (await api.call('GET', pods)).json.metadata.resourceVersion;
      const live = seen(api, from);
      for (const [name, node] of [['mine', 'n1'], ['others', 'n2'], ['later'], ['others-later']] as const) {
        expect((await api.call('POST', pods, pod(name, node))).status).toBe(201);
      }
      for (const [name, node] of [
        ['later', 'n1'],
        ['others-later', 'n2'],
      ] as const) {
        await api.call('POST', `${pods}/${name}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { kind: 'Node', name: node } });
      }
      for (const name of ['others', 'later']) {
        await api.call('PATCH', `${pods}/${name}`, { metadata: { labels: { a: 'b' } } }, { type: 'application/merge-patch+json' });
      }
      for (const name of ['others', 'mine']) await api.call('DELETE', `${pods}/${name}?gracePeriodSeconds=0`);
      expect(await live).toEqual(expected);
      expect(await seen(api, from)).toEqual(expected);
    }
    await using again = await startTestServer({ store });
    expect(await seen(again, from)).toEqual(expected);
    await store.close();
  });
});

describe('a watch over WebSocket', () => {
  it('sends one message for each event', async () => {
    await using api = await startTestServer();
    await api.call('POST', PATH, configMap('seen'));
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: api.server.port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
      let received = Buffer.alloc(0);
      socket.on('error', reject);
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const body = received.indexOf('\r\n\r\n') + 4;
        if (body < 4 || received.length < body + 4) return;
        const length = received.readUInt16BE(body + 2);
        if (received.length < body + 4 + length) return;
        resolve(`${received.subarray(0, received.indexOf('\r\n')).toString()}\n${received.subarray(body + 4, body + 4 + length).toString()}`);
        socket.destroy();
      });
      const key = randomBytes(16).toString('base64');
      const head = [`GET ${PATH}?watch=1&fieldSelector=metadata.name%3Dseen HTTP/1.1`, 'Host: a', 'Authorization: Bearer admin'];
      socket.write(`${[...head, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`].join('\r\n')}\r\n\r\n`);
    });
    const [status, event] = text.split('\n');
    expect(status).toBe('HTTP/1.1 101 Switching Protocols');
    expect(JSON.parse(event as string)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'seen' } } });
  });
});
