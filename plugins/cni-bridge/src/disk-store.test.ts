import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allocate, releaseOwner, resolveRangeSet } from '@coxswain/cni';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskStore } from './disk-store.js';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'disk-store-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const owner = (n: number) => ({ containerId: `c${n}`, ifname: 'eth0' });
const sets = [resolveRangeSet([{ subnet: '10.0.0.0/26' }])];
const open = () => diskStore(dataDir, 'net');
const files = () => readdirSync(join(dataDir, 'net')).sort();
const bare = (address: string | undefined) => (address ?? '').split('/')[0] ?? '';

describe('diskStore', () => {
  it("writes upstream's layout, whole files only", async () => {
    const store = open();
    await allocate(store, sets, owner(1));
    expect(readFileSync(join(dataDir, 'net', '10.0.0.2'), 'utf8')).toBe('c1\r\neth0');
    await expect.poll(files).toEqual(['10.0.0.2', 'last_reserved_ip.0']);
    expect(readFileSync(join(dataDir, 'net', 'last_reserved_ip.0'), 'utf8')).toBe('10.0.0.2');
  });

  it('two stores on one folder, as two processes are, never give an address twice, nor lose one', async () => {
    const stores = [open(), open()];
    const got = await Promise.all(Array.from({ length: 50 }, (_, i) => allocate(stores[i % 2] ?? open(), sets, owner(i))));
    expect(new Set(got.map(([a]) => a?.address)).size).toBe(50);
    // Given back through the other one.
    await Promise.all(Array.from({ length: 50 }, (_, i) => releaseOwner(stores[(i + 1) % 2] ?? open(), owner(i))));
    await expect.poll(files).toEqual(['last_reserved_ip.0']);
  });

  it('sees what others reserved and gave back', async () => {
    const store = open();
    const [first] = await allocate(store, sets, owner(1));
    const ip = bare(first?.address);
    rmSync(join(dataDir, 'net', ip));
    writeFileSync(join(dataDir, 'net', ip), 'stranger\r\neth0');
    await releaseOwner(store, owner(1));
    expect(files()).toContain(ip);
    expect(await store.byOwner({ containerId: 'stranger', ifname: 'eth0' })).toEqual([ip]);
  });

  it('begins after the last address, also when opened anew', async () => {
    const store = open();
    await allocate(store, sets, owner(1));
    await releaseOwner(store, owner(1));
    await expect.poll(files).toContain('last_reserved_ip.0');
    expect(bare((await allocate(open(), sets, owner(2)))[0]?.address)).toBe('10.0.0.3');
  });

  it('a damaged hint, as a crash may leave it, costs nothing but the order', async () => {
    const hint = join(dataDir, 'net', 'last_reserved_ip.0');
    for (const text of ['', '10.0.0.', '10.0.0.255.255', '192.168.1.1', '::1']) {
      await allocate(open(), sets, owner(1));
      writeFileSync(hint, text);
      expect(bare((await allocate(open(), sets, owner(2)))[0]?.address)).toMatch(/^10\.0\.0\.[23]$/);
      await Promise.all([releaseOwner(open(), owner(1)), releaseOwner(open(), owner(2))]);
    }
    // A shorter one leaves nothing of the longer one before it.
    writeFileSync(hint, '10.0.0.5555555');
    await allocate(open(), sets, owner(3));
    expect(readFileSync(hint, 'utf8')).toBe('10.0.0.2');
  });

  it('an address whose owner cannot be read belongs to nobody', async () => {
    const store = open();
    await allocate(store, sets, owner(1));
    writeFileSync(join(dataDir, 'net', '10.0.0.9'), '');
    expect(await store.all()).toContainEqual({ ip: '10.0.0.9', owner: undefined });
  });
});
