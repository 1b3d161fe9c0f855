import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseSchedulerConfig, Scheduler } from '@coxswain/scheduler';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { expect, it, vi } from 'vitest';
import { startPrimary } from '../primary/start-primary.js';

const soon = { timeout: 20_000, interval: 20 };

// A real scheduler and API server: what an extender decides is what becomes of the pod.
it('extenders: filters by names, binds what it manages, and does not stop the pods of others when it is gone', async () => {
  await using primary = await startPrimary();
  const { api } = primary.client;
  const calls: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const args = JSON.parse(text) as { NodeNames: string[]; PodName: string; PodNamespace: string; PodUID: string; Node: string };
      calls.push(request.url ?? '');
      const answer = (body: object) => void response.writeHead(200).end(JSON.stringify(body));
      if (request.url === '/filter') {
        answer({ NodeNames: args.NodeNames.filter((n) => n === 'b') });
        return;
      }
      const { PodName: name, PodNamespace: namespace, PodUID: uid, Node } = args;
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { kind: 'Node', name: Node } };
      api
        .pods(namespace)
        .subresource(name, 'binding')
        .create(binding)
        .then(
          () => answer({}),
          (error: Error) => answer({ Error: error.message }),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { config } = parseSchedulerConfig({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    leaderElection: { leaderElect: false },
    extenders: [
      {
        urlPrefix: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        filterVerb: 'filter',
        bindVerb: 'bind',
        nodeCacheCapable: true,
        managedResources: [{ name: 'example.com/foo', ignoredByScheduler: true }],
      },
    ],
  });
  const scheduler = new Scheduler({ client: primary.client, clock: systemClock, random: systemRandom, logger: silentLogger, config });
  await scheduler.start(AbortSignal.timeout(20_000));
  const pods = api.pods('default');
  const create = (name: string, requests: Record<string, string>) =>
    pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'app', resources: { requests, limits: requests } }] },
    });
  const nodeOf = async (name: string) => (await pods.get(name)).spec?.nodeName;
  try {
    await primary.client.api.serviceAccounts('default').create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
    for (const name of ['a', 'b']) {
      await api.nodes().create({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
      await api.nodes().patch(name, 'merge', { status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } } }, { subresource: 'status' });
      await api.nodes().patch(name, 'merge', { spec: { taints: null } });
    }
    // No node has the resource: it is the extender's to know of.
    await create('managed', { 'example.com/foo': '1' });
    await vi.waitFor(async () => expect(await nodeOf('managed')).toBe('b'), soon);
    expect(calls).toEqual(['/filter', '/bind']);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await create('lost', { 'example.com/foo': '1' });
    await create('other', { cpu: '1' });
    await vi.waitFor(async () => expect(await nodeOf('other')).toBeDefined(), soon);
    await vi.waitFor(async () => {
      const condition = (await pods.get('lost')).status?.conditions?.find((c) => c.type === 'PodScheduled');
      expect([condition?.reason, condition?.message]).toEqual(['SchedulerError', expect.stringContaining('ECONNREFUSED')]);
    }, soon);
  } finally {
    server.closeAllConnections();
    server.close();
    await scheduler.stop(AbortSignal.timeout(5000));
  }
});
