// A server of its own for trying things out and for bench/:
//   node --conditions=coxswain-source --import tsx apps/cox/scripts/dev-apiserver.ts [port] [folder]
// Without a folder everything is new. The token `admin` is in system:masters.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer, parseApiServerFlags } from '@coxswain/apiserver';
import { ensureClusterPki } from '@coxswain/pki';
import { systemClock, systemRandom } from '@coxswain/sdk';
import type { Logger } from '@coxswain/sdk';
import { openLmdbStore } from '@coxswain/store-lmdb';

const [port = '16443', folder] = process.argv.slice(2);
const dir = folder ?? mkdtempSync(join(tmpdir(), 'cox-apiserver-'));
const began = performance.now();
const log = (level: string) => (message: string, fields?: object) => console.error(level, message, fields ?? '');
const logger: Logger = { debug() {}, info: log('info'), warn: log('warn'), error: log('error'), child: () => logger };
const pki = await ensureClusterPki({
  dir: join(dir, 'pki'),
  apiServerNames: [],
  apiServerIPs: ['127.0.0.1'],
  clusterDomain: 'cluster.local',
  nodeName: 'dev',
  nodeIPs: ['127.0.0.1'],
  now: Date.now(),
});
writeFileSync(join(dir, 'tokens.csv'), 'admin,admin,1,"system:masters"\n');
const config = parseApiServerFlags({
  'bind-address': '127.0.0.1',
  'secure-port': port,
  'tls-cert-file': pki.path('apiserver.crt'),
  'tls-private-key-file': pki.path('apiserver.key'),
  'client-ca-file': pki.path('ca.crt'),
  'token-auth-file': join(dir, 'tokens.csv'),
  'service-account-signing-key-file': pki.path('sa.key'),
  'service-account-key-file': pki.path('sa.pub'),
  'kubelet-client-certificate': pki.path('apiserver-kubelet-client.crt'),
  'kubelet-client-key': pki.path('apiserver-kubelet-client.key'),
  'requestheader-client-ca-file': pki.path('front-proxy-ca.crt'),
  'requestheader-allowed-names': 'front-proxy-client',
});
const prepared = performance.now();
const store = await openLmdbStore({ path: join(dir, 'store'), clock: systemClock, logger });
const server = await createApiServer(config, { store, clock: systemClock, random: systemRandom, logger });
await server.start(new AbortController().signal);
console.log(
  `https://127.0.0.1:${server.port} ready in ${(performance.now() - prepared).toFixed(0)} ms (pki ${(prepared - began).toFixed(0)} ms); rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB; ${dir}`,
);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await server.stop(AbortSignal.timeout(5000));
    await store.close();
    process.exit(0);
  });
}
