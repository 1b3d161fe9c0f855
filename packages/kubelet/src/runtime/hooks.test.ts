import { FakeClock } from '@coxswain/sdk-testing';
import { describe, expect, it } from 'vitest';
import type { HttpProbeOptions, ProbeAnswer } from '../probes/http-probe.js';
import { HookRunner } from './hooks.js';

/** Runs an HTTPS hook against servers that answer by scheme; what was asked, and what was told. */
async function hook(answers: { readonly HTTPS: ProbeAnswer; readonly HTTP?: ProbeAnswer }) {
  const asked: HttpProbeOptions[] = [];
  const told: string[] = [];
  const network = {
    http: async (options: HttpProbeOptions) => {
      asked.push(options);
      return answers[options.scheme as 'HTTP' | 'HTTPS'] ?? { outcome: 'failure' as const, message: 'not asked for' };
    },
  };
  const runner = new HookRunner({} as never, new FakeClock(), network as never);
  const httpGet = {
    path: 'bye',
    port: 'web',
    scheme: 'HTTPS',
    httpHeaders: [
      { name: 'Authorization', value: 'x' },
      { name: 'X-A', value: 'b' },
    ],
  };
  const container = { name: 'c', image: 'i', ports: [{ name: 'web', containerPort: 8443 }] };
  const run = runner.run(
    { httpGet } as never,
    { container, containerId: 'c1', podIP: '10.0.0.2', signal: new AbortController().signal, fellBack: (url: URL) => told.push(url.href) } as never,
  );
  const error = await run.then(
    () => undefined,
    (e: Error) => e.message,
  );
  return { asked, told, error };
}

describe('a hook over HTTPS', () => {
  const plain: ProbeAnswer = { outcome: 'failure', message: 'http: server gave HTTP response to HTTPS client', plainHttp: true };

  it('is sent in plain HTTP where that is spoken, without what is secret', async () => {
    const { asked, told, error } = await hook({ HTTPS: plain, HTTP: { outcome: 'success', message: '' } });
    expect(error).toBeUndefined();
    expect(asked.map(({ scheme, port, httpHeaders }) => [scheme, port, httpHeaders?.map((h) => h.name)])).toEqual([
      ['HTTPS', 8443, ['Authorization', 'X-A']],
      ['HTTP', 8443, ['X-A']],
    ]);
    expect(told).toEqual(['http://10.0.0.2:8443/bye']);
  });

  it('fails with what was said first', async () => {
    expect((await hook({ HTTPS: plain })).error).toBe(plain.message);
    const { asked, error } = await hook({ HTTPS: { outcome: 'failure', message: 'connection refused' } });
    expect([asked.length, error]).toEqual([1, 'connection refused']);
  });
});
