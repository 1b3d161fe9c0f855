import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeCertificate } from '@coxswain/pki';

const SOON_MS = 30 * 24 * 3600 * 1000;

/** When the first certificate of these folders ends, in milliseconds since 1970; undefined when there is none. */
export function certificateEnd(folders: readonly string[]): number | undefined {
  const ends = folders.flatMap(certificatesIn).map((pem) => describeCertificate(pem).notAfter);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** What to do about it, when there is something to do: processes hold the certificates that they were started with. */
export function certificateHint(end: number | undefined, now: number, cluster: string): string | undefined {
  if (end === undefined || end - now > SOON_MS) return undefined;
  const when = `${end <= now ? 'have expired on' : 'expire on'} ${new Date(end).toISOString().slice(0, 10)}`;
  return `certificates ${when}; renew them with: cox down --name ${cluster}; cox up --name ${cluster}`;
}

function certificatesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.crt'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  } catch {
    // Not made yet.
    return [];
  }
}
