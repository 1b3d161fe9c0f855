// The server under test, in a process of its own: a crash shows, and its memory is nobody else's.
import { startTestServer } from '../start-test-server.js';

const NAMESPACE = 'fuzz';
const compactionIntervalMs = 2000;

const target = await startTestServer({ compactionIntervalMs, maxRequestsInFlight: 400, maxMutatingRequestsInFlight: 200 });
const core = `/api/v1/namespaces/${NAMESPACE}`;
await target.call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
await target.call('POST', `${core}/serviceaccounts`, { metadata: { name: 'default' } });
await target.call('POST', `${core}/configmaps`, { metadata: { name: 'seed' }, data: { k: 'v' } });

process.on('message', () => {
  globalThis.gc?.();
  process.send?.({ heapUsed: process.memoryUsage().heapUsed });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: target.server.port, ca: target.ca });
