import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCa, issueCertificate } from '@coxswain/pki';
import { expect, test } from 'vitest';
import { certificateEnd, certificateHint } from './certificate-end.js';

const DAY = 24 * 3600 * 1000;

test('the first certificate that ends is told, in time, with what renews it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cox-ends-'));
  try {
    const now = Date.UTC(2026, 0, 1);
    const ca = await createCa('ca', now, 3650 * DAY);
    const leaf = (days: number) => issueCertificate(ca, { subject: { commonName: 'a' }, usage: 'client', now, validForMs: days * DAY });
    writeFileSync(join(folder, 'ca.crt'), ca.cert);
    writeFileSync(join(folder, 'a.crt'), (await leaf(365)).cert);
    writeFileSync(join(folder, 'b.crt'), (await leaf(40)).cert);
    const end = certificateEnd([folder, join(folder, 'nothing')]);
    expect(end).toBe(now + 40 * DAY);
    expect(certificateEnd([])).toBeUndefined();
    expect(certificateHint(end, now, 'x')).toBeUndefined();
    expect(certificateHint(end, now + 15 * DAY, 'x')).toBe('certificates expire on 2026-02-10; renew them with: cox down --name x; cox up --name x');
    expect(certificateHint(end, now + 41 * DAY, 'x')).toMatch(/^certificates have expired on/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
