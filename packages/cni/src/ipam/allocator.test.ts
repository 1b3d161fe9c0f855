import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp, parseIp, parseSubnet } from './address.js';
import { allocate, type IpamStore, type IpOwner, releaseOwner, releaseStale } from './allocator.js';
import { candidates, resolveRange, resolveRangeSet } from './range.js';

function memoryStore(): IpamStore & { readonly held: Map<string, IpOwner> } {
  const held = new Map<string, IpOwner>();
  const last = new Map<number, string>();
  return {
    held,
    reserve: async (ip, owner) => !held.has(ip) && Boolean(held.set(ip, owner)),
    last: async (set) => last.get(set),
    setLast: async (set, ip) => void last.set(set, ip),
    byOwner: async (o) => [...held].filter(([, h]) => h.containerId === o.containerId && h.ifname === o.ifname).map(([ip]) => ip),
    release: async (ip) => void held.delete(ip),
    all: async () => [...held].map(([ip, owner]) => ({ ip, owner })),
  };
}
const owner = (n: number | string): IpOwner => ({ containerId: `c${n}`, ifname: 'eth0' });

describe('addresses', () => {
  it('text and number are the same', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), (value) => {
        expect(parseIp(formatIp({ family: 4, value }))).toEqual({ family: 4, value });
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        expect(parseIp(formatIp({ family: 6, value }))).toEqual({ family: 6, value });
      }),
    );
    expect(formatIp(parseIp('2001:DB8:0:0:0::1'))).toBe('2001:db8::1');
    expect(parseIp('::ffff:10.0.0.1').value).toBe(0xffff_0a00_0001n);
  });
  it.each(['10.0.0.0', '10.0.0.0/33', 'x/8', '10.0.0.0/'])('%s is not a subnet', (text) => expect(() => parseSubnet(text)).toThrow(TypeError));
});

describe('ranges', () => {
  it('defaults', () => {
    const v4 = resolveRange({ subnet: '10.1.2.3/24' });
    expect([v4.start, v4.end, v4.gateway].map((value) => formatIp({ family: 4, value }))).toEqual(['10.1.2.1', '10.1.2.254', '10.1.2.1']);
    expect(formatIp({ family: 6, value: resolveRange({ subnet: 'fd00::/120' }).end })).toBe('fd00::ff');
  });
  it.each([
    [{ subnet: 'nonsense' }],
    [{ subnet: '10.0.0.0/31' }],
    [{ subnet: '10.0.0.0/24', rangeStart: '10.0.1.1' }],
    [{ subnet: '10.0.0.0/24', rangeStart: '10.0.0.9', rangeEnd: '10.0.0.8' }],
    [{ subnet: '10.0.0.0/24', gateway: 'fd00::1' }],
  ])('refuses %j with code 7', (conf) => expect(() => resolveRange(conf)).toThrow(expect.objectContaining({ code: 7 })));
  it('refuses overlap and mixed families', () => {
    expect(() => resolveRangeSet([{ subnet: '10.0.0.0/24' }, { subnet: '10.0.0.128/25' }])).toThrow(/overlap/);
    expect(() => resolveRangeSet([{ subnet: '10.0.0.0/24' }, { subnet: 'fd00::/64' }])).toThrow(/mixes/);
  });
  it('candidates: each usable address once, beginning after the last', () => {
    fc.assert(
      fc.property(fc.integer({ min: 25, max: 30 }), fc.nat(300), fc.boolean(), (prefix, at, two) => {
        const set = resolveRangeSet([{ subnet: `10.0.0.0/${prefix}`, exclude: ['10.0.0.2/32'] }, ...(two ? [{ subnet: '10.0.1.0/29' }] : [])]);
        const all = [...candidates(set)].map((c) => c.ip);
        expect(new Set(all).size).toBe(all.length);
        expect(all).not.toContain('10.0.0.1');
        expect(all).not.toContain('10.0.0.2');
        const last = all[at % all.length];
        if (last === undefined) return;
        const rotated = [...candidates(set, last)].map((c) => c.ip);
        expect([...rotated].sort()).toEqual([...all].sort());
        expect(rotated.at(-1)).toBe(last);
      }),
    );
  });
});

describe('allocate', () => {
  it('never gives one address twice, whatever comes and goes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), fc.nat(12)), { maxLength: 80 }), async (steps) => {
        const store = memoryStore();
        const sets = [resolveRangeSet([{ subnet: '10.0.0.0/29' }, { subnet: '10.0.1.0/29' }]), resolveRangeSet([{ subnet: 'fd00::/124' }])];
        const model = new Map<string, string[]>();
        for (const [add, n] of steps) {
          const who = owner(n);
          if (!add) {
            await releaseOwner(store, who);
            model.delete(who.containerId);
            continue;
          }
          // Ten usable IPv4 addresses: then it is full.
          const expected = model.has(who.containerId) ? 999 : model.size === 10 ? 11 : 'fine';
          const got = await allocate(store, sets, who).catch((error: { code: number }) => error.code);
          expect(typeof got === 'number' ? got : 'fine').toBe(expected);
          if (typeof got !== 'number')
            model.set(
              who.containerId,
              got.map((x) => `${x.address} ${x.gateway}`),
            );
          const given = [...model.values()].flat();
          expect(new Set(given).size).toBe(given.length);
          expect(given.every((x) => /^10\.0\.([01])\.\d+\/29 10\.0\.\1\.1$|^fd00::\w+\/124 fd00::1$/.test(x))).toBe(true);
          expect(store.held.size).toBe(2 * model.size);
        }
      }),
    );
  });

  it('racing requests get different addresses', async () => {
    const store = memoryStore();
    const sets = [resolveRangeSet([{ subnet: '10.0.0.0/24' }])];
    const got = await Promise.all(Array.from({ length: 100 }, (_, i) => allocate(store, sets, owner(i))));
    expect(new Set(got.map(([a]) => a?.address)).size).toBe(100);
  });

  it('gives the requested address, or says why not', async () => {
    const store = memoryStore();
    const sets = [resolveRangeSet([{ subnet: '10.0.0.0/24' }])];
    expect(await allocate(store, sets, owner(1), ['10.0.0.77'])).toEqual([{ address: '10.0.0.77/24', gateway: '10.0.0.1' }]);
    await expect(allocate(store, sets, owner(2), ['10.0.0.77'])).rejects.toMatchObject({ code: 11 });
    await expect(allocate(store, sets, owner(2), ['10.9.0.1'])).rejects.toMatchObject({ code: 7 });
  });

  it('releases what nobody valid holds', async () => {
    const store = memoryStore();
    const sets = [resolveRangeSet([{ subnet: '10.0.0.0/24' }])];
    for (let i = 0; i < 5; i++) await allocate(store, sets, owner(i));
    await releaseStale(store, [owner(1), owner(3)]);
    expect([...store.held.values()].map((o) => o.containerId)).toEqual(['c1', 'c3']);
  });
});
