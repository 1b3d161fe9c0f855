// Writes until it is killed, and says on standard output what has been acknowledged. Usage: writer.mts FOLDER ROUND
import { systemClock } from '@coxswain/sdk';
import { openLmdbStore } from '../src/index.js';

const [path, round] = process.argv.slice(2) as [string, string];
const store = await openLmdbStore({ path, clock: systemClock });
process.stdout.write('ready\n');
const value = Buffer.alloc(700, round);
await Promise.all(
  Array.from({ length: 8 }, async (_, writer) => {
    for (let i = 0; ; i++) {
      const keys = [`/k/${round}/${writer}/${i}/a`, `/k/${round}/${writer}/${i}/b`];
      const { revision } = await store.txn({
        compare: [],
        success: [...keys.map((key) => ({ type: 'put' as const, key, value })), { type: 'put', key: `/last/${writer}`, value }],
      });
      process.stdout.write(`${revision} ${keys[0]}\n`);
      if (i % 50 === 49 && writer === 0) await store.compact(revision - 100).catch(() => {});
    }
  }),
);
