import { describe, expect, it } from 'vitest';
import { zPageAnswer } from './z-pages.js';

const pages = { component: 'kube-scheduler', flags: { v: '2', 'bind-address': '0.0.0.0' } };
const ask = (path: string, accept?: string) => zPageAnswer(pages, path, accept, ['/healthz', '/metrics', '/statusz', '/apis/apps/v1', '/debug/pprof']);

describe('z-pages', () => {
  it('are text for people, unless something else is asked for', () => {
    const text = ask('/statusz');
    expect(text?.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text?.body).toMatch(/^\nkube-scheduler statusz\nWarning: This endpoint is not meant to be machine parseable/);
    expect(text?.body).toMatch(/\n\nStarted: \w{3} \w{3} [ \d]\d [\d:]{8} UTC \d{4}\nUp: \d+ hr \d\d min \d\d sec\n/);
    expect(text?.body).toMatch(/\nEmulation version: 1\.36\nPaths: \/debug \/healthz \/metrics \/statusz\n$/);
    expect(ask('/flagz')?.body).toMatch(/^\nkube-scheduler flagz\nWarning: .*\nbind-address=0\.0\.0\.0\nv=2\n$/);
    expect(ask('/statusz', '*/*')?.body).toBe(text?.body);
    expect(ask('/statusz', 'application/json;v=foo;g=config.k8s.io;as=Statusz,text/plain')?.body).toBe(text?.body);
  });

  it('are objects of config.k8s.io by group, version and kind', () => {
    const statusz = ask('/statusz', 'application/json;v=v1beta1;g=config.k8s.io;as=Statusz');
    expect(statusz?.headers).toEqual({ 'content-type': 'application/json' });
    expect(JSON.parse(statusz?.body ?? '')).toMatchObject({
      kind: 'Statusz',
      apiVersion: 'config.k8s.io/v1beta1',
      metadata: { name: 'kube-scheduler' },
      startTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/) as string,
      uptimeSeconds: expect.any(Number) as number,
      emulationVersion: '1.36',
      paths: ['/debug', '/healthz', '/metrics', '/statusz'],
    });
    const older = ask('/flagz', 'application/yaml;g=config.k8s.io;v=v1alpha1;as=Flagz');
    expect(older?.headers).toEqual({
      'content-type': 'application/yaml',
      warning: '299 - "This version of the flagz endpoint is deprecated. Please use a newer version."',
    });
    expect(JSON.parse(older?.body ?? '')).toMatchObject({ apiVersion: 'config.k8s.io/v1alpha1', flags: pages.flags });
    expect(ask('/flagz', 'text/plain;q=0.1,application/json;v=v1beta1;g=config.k8s.io;as=Flagz;q=0.5')?.body).toContain('"Flagz"');
  });

  it('refuse what they are not', () => {
    for (const accept of [
      'application/json',
      'application/json;as=Statusz',
      'application/json;v=v1beta1;g=config.k8s.io;as=Flagz',
      'text/html',
      'text/plain;as=Statusz',
    ]) {
      const { status, body } = ask('/statusz', accept) ?? { status: 0, body: '' };
      expect(status, accept).toBe(406);
      expect(JSON.parse(body)).toMatchObject({ kind: 'Status', reason: 'NotAcceptable', code: 406 });
    }
    expect(ask('/healthz')).toBeUndefined();
    expect(zPageAnswer({ component: 'library' }, '/flagz', undefined, [])).toBeUndefined();
  });
});
