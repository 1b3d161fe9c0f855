import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, parseGroupVersion } from '../scheme/group-version.js';
import { RestMapper } from '../scheme/rest-mapper.js';
import { formatDuration, humanDuration, parseDuration } from './duration.js';
import { hashObject } from './hash.js';
import { canonicalJson, cloneJson, deepEqual, semanticEqual } from './json.js';
import { formatMicroTime, formatTime, parseTime } from './time.js';

describe('JSON', () => {
  it('clones are equal and apart; equality is that of the canonical text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        // JSON has no -0.
        const [x, y] = [JSON.parse(JSON.stringify(a)) as unknown, JSON.parse(JSON.stringify(b)) as unknown];
        expect(deepEqual(cloneJson(x), x)).toBe(true);
        expect(deepEqual(x, y)).toBe(canonicalJson(x) === canonicalJson(y));
        expect(cloneJson(x) === x).toBe(typeof x !== 'object' || x === null);
      }),
    );
  });

  it('does not confuse absent and inherited members', () => {
    expect(deepEqual({ toString: undefined }, {})).toBe(true);
    expect(deepEqual({ constructor: 1 }, {})).toBe(false);
    expect(deepEqual({ a: 1 }, { b: 1 })).toBe(false);
  });

  it('takes empty for absent when meant semantically', () => {
    expect(semanticEqual({ a: [], b: { c: {} }, d: 1 }, { d: 1, e: null })).toBe(false);
    expect(semanticEqual({ a: [], d: 1 }, { d: 1, e: null })).toBe(true);
    expect(semanticEqual([1], [])).toBe(false);
  });

  it('hashes equal values alike, into names', () => {
    expect(hashObject({ a: 1, b: [2] })).toBe(hashObject({ b: [2], a: 1 }));
    expect(hashObject({ a: 1 })).not.toBe(hashObject({ a: 1 }, 1));
    expect(hashObject({ a: 1 })).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  });
});

describe('time', () => {
  it('prints and reads RFC 3339', () => {
    const ms = Date.UTC(2026, 1, 3, 4, 5, 6, 789);
    expect([formatTime(ms), formatMicroTime(ms + 0.123)]).toEqual(['2026-02-03T04:05:06Z', '2026-02-03T04:05:06.789123Z']);
    expect(parseTime('2026-02-03T06:05:06.789+02:00')).toBe(ms);
    expect([parseTime('2026-02-30T00:00:00Z'), parseTime('2026-02-03'), parseTime('2026-02-03T25:00:00Z')]).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['1h15m30.5s', 4_530_500, '1h15m30.5s'],
    ['90s', 90_000, '1m30s'],
    ['20ms', 20, '20ms'],
    ['1.5h', 5_400_000, '1h30m0s'],
    ['-2m', -120_000, '-2m0s'],
    ['0', 0, '0s'],
    ['10us', 0.01, '10µs'],
  ])('reads the duration %s', (text, ms, printed) => {
    expect([parseDuration(text), formatDuration(ms)]).toEqual([ms, printed]);
  });

  it.each(['', '5', 's', '1x', '1h 2m', '--1s'])('refuses the duration %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it.each([
    [-5000, '<invalid>'],
    [0, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [190_000, '3m10s'],
    [3_600_000, '60m'],
    [4 * 3_600_000, '4h'],
    [4.5 * 3_600_000, '4h30m'],
    [50 * 3_600_000, '2d2h'],
    [20 * 86_400_000, '20d'],
    [800 * 86_400_000, '2y70d'],
  ])('ages %d ms as %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });
});

describe('scheme', () => {
  it('reads apiVersions', () => {
    expect([parseGroupVersion('v1'), parseGroupVersion('apps/v1')]).toEqual([
      { group: '', version: 'v1' },
      { group: 'apps', version: 'v1' },
    ]);
    expect(() => parseGroupVersion('a/b/c')).toThrow('unexpected GroupVersion string: a/b/c');
  });

  it('prefers versions as the API does', () => {
    expect(['foo10', 'v1', 'v11alpha2', 'v10', 'v3beta1', 'v12alpha1', 'v11beta2', 'foo1', 'v2'].sort(compareVersions)).toEqual([
      'v10',
      'v2',
      'v1',
      'v11beta2',
      'v3beta1',
      'v12alpha1',
      'v11alpha2',
      'foo1',
      'foo10',
    ]);
  });

  it('finds resources by what people type', () => {
    const row = (group: string, version: string, kind: string, shortNames: string[]) => ({
      group,
      version,
      kind,
      resource: `${kind.toLowerCase()}s`,
      singular: kind.toLowerCase(),
      shortNames,
      namespaced: true,
    });
    const mapper = new RestMapper([
      row('', 'v1', 'Event', ['ev']),
      row('events.k8s.io', 'v1', 'Event', ['ev']),
      row('apps', 'v1', 'Deployment', ['deploy']),
      row('apps', 'v1beta1', 'Deployment', ['deploy']),
    ]);
    expect(mapper.lookup('deploy')?.version).toBe('v1');
    expect(mapper.lookup('ev')?.group).toBe('');
    expect(mapper.lookup('events.events.k8s.io')?.group).toBe('events.k8s.io');
    expect(mapper.lookup('deployments.v1beta1.apps')?.version).toBe('v1beta1');
    expect(mapper.lookup('nope')).toBeUndefined();
    expect(() => mapper.kind({ group: 'apps', version: 'v1' }, 'Nope')).toThrow('no matches for kind "Nope" in version "apps/v1"');
  });
});
