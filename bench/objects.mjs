import { connect } from 'node:http2';
import { BenchApiServer } from './lib/api-server.mjs';
import { load } from './lib/measure.mjs';
import { figure } from './lib/table.mjs';

const MAPS = '/api/v1/namespaces/inside/configmaps';
const map = (name, text) => ({ metadata: { name }, data: { text } });
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** What objects that are only there cost: writes and lists of a namespace beside them, being ready, and watches in which nothing happens. */
export async function benchObjects(stored = [1000, 10_000, 100_000]) {
  for (const count of stored) await beside(count);
  await ready(10_000);
  await idleWatches(10_000);
}

async function beside(count) {
  const server = new BenchApiServer();
  try {
    server.fill(count, 100);
    await server.start();
    const { api } = server;
    await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'inside' } });
    const cost = async (total, call) => {
      await load(total, 16, (i) => call(`w${i}`));
      // The least disturbed of some rounds.
      const rounds = [];
      for (let round = 0; round < 5; round++) {
        const before = server.cpu;
        await load(total, 16, (i) => call(`r${round}-${i}`));
        rounds.push((server.cpu - before) / total);
      }
      return `${Math.min(...rounds).toFixed(0)} µs`;
    };
    const what = `beside ${count.toLocaleString('en')} objects`;
    figure(`create, CPU ${what}`, await cost(400, (name) => api.send('POST', MAPS, map(name, 'a'))));
    figure(`update, CPU ${what}`, await cost(400, (name) => api.send('PUT', `${MAPS}/${name}`, map(name, 'b'))));
    figure(`delete, CPU ${what}`, await cost(400, (name) => api.send('DELETE', `${MAPS}/${name}`)));
    figure(`list of 100, CPU ${what}`, await cost(200, () => api.send('GET', MAPS, undefined, { discard: true })));
    await server.stop();
  } finally {
    server.remove();
  }
}

async function ready(count) {
  const server = new BenchApiServer();
  try {
    server.fill(count, 0);
    // The first start makes what every server has.
    await server.start();
    await server.stop();
    const times = [];
    for (let i = 0; i < 5; i++) {
      times.push(await server.start());
      await server.stop();
    }
    figure(
      `ready with ${count.toLocaleString('en')} objects`,
      `${(median(times) / 1000).toFixed(2)} s (best ${(Math.min(...times) / 1000).toFixed(2)} s)`,
      '3.3 s',
    );
  } finally {
    server.remove();
  }
}

/** Ten connections, as many watches on each, of a namespace each. */
async function idleWatches(count) {
  const connections = 10;
  const server = new BenchApiServer();
  try {
    await server.start();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const before = server.memory;
    const cpu = server.cpu;
    const sessions = Array.from({ length: connections }, () => connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false }));
    await Promise.all(
      sessions.flatMap((session, i) =>
        Array.from(
          { length: count / connections },
          (_, j) =>
            new Promise((resolve, reject) => {
              const path = `/api/v1/namespaces/n${i * connections + j}/configmaps?watch=1&allowWatchBookmarks=true`;
              const stream = session.request({ ':path': path, authorization: 'Bearer bench', accept: 'application/json' });
              stream.on('response', resolve);
              stream.on('error', reject);
              stream.resume();
            }),
        ),
      ),
    );
    const opened = server.cpu - cpu;
    await new Promise((resolve) => setTimeout(resolve, 5000));
    figure(
      `memory, ${count.toLocaleString('en')} idle watches`,
      `${server.memory.toFixed(0)} MiB (${before.toFixed(0)} MiB before; opening one costs ${(opened / count).toFixed(0)} µs of CPU)`,
    );
    for (const session of sessions) session.destroy();
  } finally {
    server.remove();
  }
}
