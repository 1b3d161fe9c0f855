import { createCa, issueCertificate, LEAF_VALIDITY_MS, renewalReason } from '@coxswain/pki';
import type { Clock } from '@coxswain/sdk';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const RENEW_BEFORE_MS = 30 * 24 * 3600 * 1000;

/** A serving certificate of an authority of its own, kept in the add-on's folder so that browsers need to trust it once only. */
export async function ownCertificate(options: {
  readonly stateDir: string;
  readonly nodeName: string;
  readonly hostIP: string;
  readonly clock: Clock;
}): Promise<{ cert: string; key: string }> {
  const dir = join(options.stateDir, 'dashboard');
  const now = options.clock.now();
  const expected = { commonName: 'coxswain-dashboard', dnsNames: [options.nodeName, 'localhost'], ipAddresses: [...new Set(['127.0.0.1', options.hostIP])] };
  const read = (file: string) => {
    try {
      return readFileSync(join(dir, file), 'utf8');
    } catch {
      return undefined;
    }
  };
  const [ca, cert, key] = [read('ca.crt'), read('tls.crt'), read('tls.key')];
  if (ca && cert && key && renewalReason({ cert, key }, ca, expected, now, RENEW_BEFORE_MS) === undefined) return { cert: cert + ca, key };
  const authority = await createCa('coxswain-dashboard-ca', now);
  const { commonName, ...names } = expected;
  const made = await issueCertificate(authority, { subject: { commonName }, ...names, usage: 'server', now, validForMs: LEAF_VALIDITY_MS });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // A start cut short between the files leaves a set that does not match: it is made again.
  for (const [file, text] of Object.entries({ 'tls.key': made.key, 'tls.crt': made.cert, 'ca.crt': authority.cert })) {
    writeFileSync(join(dir, `${file}.tmp`), text, { mode: 0o600, flush: true });
    renameSync(join(dir, `${file}.tmp`), join(dir, file));
  }
  return { cert: made.cert + authority.cert, key: made.key };
}
