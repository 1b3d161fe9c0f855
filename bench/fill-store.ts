// Config maps as the API server stores them, put straight into a store: fill-store.ts FOLDER OUTSIDE INSIDE
import { systemClock } from '../packages/sdk/src/index.js';
import { openLmdbStore } from '../plugins/store-lmdb/src/index.js';

const BATCH = 500;
const [path = '', outside = '0', inside = '0'] = process.argv.slice(2);
const store = await openLmdbStore({ path, clock: systemClock });
const names = [
  ...Array.from({ length: Number(outside) }, (_, i) => [`outside-${i % 100}`, `c${i}`] as const),
  ...Array.from({ length: Number(inside) }, (_, i) => ['inside', `c${i}`] as const),
];
for (let at = 0; at < names.length; at += BATCH) {
  const success = names.slice(at, at + BATCH).map(([namespace, name]) => {
    const metadata = { name, namespace, uid: `0000-${namespace}-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' };
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata, data: { text: 'x'.repeat(200) } };
    return { type: 'put' as const, key: `/registry/configmaps/${namespace}/${name}`, value: Buffer.from(JSON.stringify(object)) };
  });
  await store.txn({ compare: [], success });
}
await store.close();
