// A server on a store of its own for trying things out and for bench/: node --conditions=coxswain-source --import tsx scripts/dev-server.ts [port] [memory|lmdb]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryBackend, RevisionedStore } from '@coxswain/mvcc';
import type { StateStore } from '@coxswain/sdk';
import { systemClock, systemRandom } from '@coxswain/sdk';
import { lookupSchema } from '@coxswain/api';
import type { ResourceDefinition } from '@coxswain/api';
import { ApiServer, parseTokenFile } from '@coxswain/apiserver';

const [port = '16443'] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), 'cox-apiserver-'));
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=dev', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')], { stdio: 'ignore' });
const memory = new RevisionedStore(new MemoryBackend(), { now: () => performance.now() });
const store = Object.assign(memory, { currentRevision: () => memory.revision }) as unknown as StateStore;
const def = (kind: string, resource: string, namespaced: boolean, singular: string): ResourceDefinition => ({
  group: '', version: 'v1', kind, listKind: `${kind}List`, resource, singular, shortNames: [], categories: [], namespaced,
  schema: `io.k8s.api.core.v1.${kind}`, verbs: ['create', 'get', 'list', 'watch', 'update', 'patch', 'delete', 'deletecollection'],
  strategy: { allowUnconditionalUpdate: true }, subresources: [], columns: [], selectableFields: {}, storagePrefix: `/registry/${resource}`,
});
const log = (level: string) => (message: string, fields?: object) => console.error(level, message, fields ?? '');
const logger = { debug() {}, info: log('info'), warn: log('warn'), error: log('error'), child: () => logger };
const server = new ApiServer({
  store, clock: systemClock, random: systemRandom, logger,
  definitions: [def('ConfigMap', 'configmaps', true, 'configmap'), def('Namespace', 'namespaces', false, 'namespace'), def('Pod', 'pods', true, 'pod'), def('ServiceAccount', 'serviceaccounts', true, 'serviceaccount')],
  lookupSchema, host: '127.0.0.1', port: Number(port),
  tls: { cert: readFileSync(join(dir, 'cert.pem'), 'utf8'), key: readFileSync(join(dir, 'key.pem'), 'utf8') },
  tokens: parseTokenFile('admin,admin,1,"system:masters"'), anonymous: true,
  authenticators: [], authorizers: [], admission: [], maxRequestsInFlight: 400, maxMutatingRequestsInFlight: 200,
});
await server.start(new AbortController().signal);
console.log(`https://127.0.0.1:${server.port} ready; rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`);
