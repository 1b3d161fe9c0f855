import { percentiles } from './lib/measure.mjs';
import { figure } from './lib/table.mjs';

const IMAGE = 'coxswain.local/guestbook:1';
const AT_ONCE = 40;

/** Pod start and delete as the API shows them: created → Running with every container ready. */
export async function benchPods(api) {
  const namespace = `bench-pods-${process.pid}`;
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  const base = `/api/v1/namespaces/${namespace}`;
  const pods = `${base}/pods`;
  // The service account controller works in its own time.
  for (let i = 0; i < 200; i++) {
    const found = await api.send('GET', `${base}/serviceaccounts/default`, undefined, { expect: [200, 404] });
    if (found.status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const ready = new Map();
  const gone = new Map();
  const list = await api.json('GET', pods);
  const stop = await api.watch(`${pods}?watch=1&resourceVersion=${list.metadata.resourceVersion}`, (line) => {
    const { type, object } = JSON.parse(line.toString());
    if (type === 'DELETED') gone.get(object.metadata.name)?.();
    else if (object.status?.phase === 'Running' && object.status.containerStatuses?.every((c) => c.ready)) ready.get(object.metadata.name)?.();
  });
  const start = async (name) => {
    const at = performance.now();
    const done = new Promise((resolve) => ready.set(name, resolve));
    await api.send('POST', pods, {
      metadata: { name },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: IMAGE, command: ['sleep', '100000'] }] },
    });
    await done;
    return performance.now() - at;
  };
  const remove = async (name) => {
    const done = new Promise((resolve) => gone.set(name, resolve));
    await api.send('DELETE', `${pods}/${name}`);
    await done;
  };
  const single = [];
  for (let i = 0; i < 8; i++) single.push(await start(`one-${i}`));
  figure('pod start one by one, p50', `${percentiles(single).p50.toFixed(0)} ms`, '570 ms');
  const begun = performance.now();
  const many = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => start(`many-${i}`)));
  figure(
    `${AT_ONCE} pods at once`,
    `${(AT_ONCE / ((performance.now() - begun) / 1000)).toFixed(1)} pods/s (p50 ${percentiles(many).p50.toFixed(0)} ms)`,
    '5.2 pods/s',
  );
  const deleting = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => remove(`many-${i}`)));
  figure(`delete of ${AT_ONCE}`, `${(AT_ONCE / ((performance.now() - deleting) / 1000)).toFixed(0)} pods/s`, '280/s');
  await Promise.all(Array.from({ length: 8 }, (_, i) => remove(`one-${i}`)));
  stop();
  await api.send('DELETE', `/api/v1/namespaces/${namespace}`);
}
