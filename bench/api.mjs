import { load } from './lib/measure.mjs';
import { figure } from './lib/table.mjs';

const blob = (c) => c.repeat(900);
const rate = (r) => `${r.perSecond.toFixed(0)}/s (p50 ${r.p50.toFixed(1)} ms, p99 ${r.p99.toFixed(1)} ms)`;

/** The API server under the load FACTS.md names: 4,000 config maps and 2,000 pods of one namespace, 32 clients. */
export async function benchApi(api) {
  const namespace = `bench-api-${process.pid}`;
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await api.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } }, { expect: [201, 409] });
  const maps = `/api/v1/namespaces/${namespace}/configmaps`;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const map = (name, c) => ({ metadata: { name }, data: { blob: blob(c) } });
  const pod = (k) => ({
    metadata: { name: `p${k}`, labels: { app: `a${k % 10}` } },
    spec: {
      automountServiceAccountToken: false,
      nodeName: `nowhere-${k % 50}`,
      containers: [
        {
          name: 'c',
          image: 'busybox:1',
          command: ['sleep', '1000'],
          env: Array.from({ length: 8 }, (_, i) => ({ name: `V${i}`, value: 'some-value' })),
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
        },
      ],
    },
  });

  await load(200, 8, (k) => api.send('POST', maps, map(`w${k}`, 'w')));
  figure('create config map, 1 client', rate(await load(500, 1, (k) => api.send('POST', maps, map(`s${k}`, 's')))), '414/s');
  figure('create config map, 32 clients', rate(await load(4000, 32, (k) => api.send('POST', maps, map(`c${k}`, 'c')))), '1,453/s');
  figure('create pod', rate(await load(2000, 32, (k) => api.send('POST', pods, pod(k)))), '1,100/s');
  figure('get config map', rate(await load(8000, 32, (k) => api.send('GET', `${maps}/c${k % 4000}`))), '3,552/s');
  figure('update config map', rate(await load(2000, 32, (k) => api.send('PUT', `${maps}/c${k}`, map(`c${k}`, 'y')))), '1,501/s');
  const merge = { contentType: 'application/merge-patch+json' };
  figure('merge-patch pod', rate(await load(2000, 32, (k) => api.send('PATCH', `${pods}/p${k}`, { metadata: { labels: { gen: `${k}` } } }, merge))), '719/s');
  figure('list 2,000 pods', rate(await load(40, 4, () => api.send('GET', pods, undefined, { discard: true }))), '21/s (p50 169 ms)');
  figure('list 2,000 pods by label', rate(await load(40, 4, () => api.send('GET', `${pods}?labelSelector=app%3Da3`, undefined, { discard: true }))), '179/s');
  await fanOut(api, maps, map);
  figure('delete config map', rate(await load(2000, 32, (k) => api.send('DELETE', `${maps}/c${k}`))), '1,886/s');
  await load(2000, 32, (k) => api.send('DELETE', `${pods}/p${k}?gracePeriodSeconds=0`));
  await api.send('DELETE', `/api/v1/namespaces/${namespace}`);
}

async function fanOut(api, maps, map) {
  const watchers = 50;
  const updates = 1000;
  let seen = 0;
  const { metadata } = await api.json('GET', `${maps}?limit=1`);
  const stops = await Promise.all(
    Array.from({ length: watchers }, () => api.watch(`${maps}?watch=1&resourceVersion=${metadata.resourceVersion}`, () => seen++)),
  );
  const begun = performance.now();
  await load(updates, 16, (k) => api.send('PUT', `${maps}/c${k}`, map(`c${k}`, 'z')));
  while (seen < watchers * updates && performance.now() - begun < 60_000) await new Promise((resolve) => setTimeout(resolve, 5));
  figure(
    `watch fan-out, ${watchers} watchers`,
    `${(seen / ((performance.now() - begun) / 1000)).toFixed(0)} events/s (${seen} of ${watchers * updates})`,
    '45,000/s',
  );
  for (const stop of stops) stop();
}
