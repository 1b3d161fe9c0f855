import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/start-test-server.js';

const ROOT = '/api/v1/namespaces/bounded';

describe('LimitRanger', () => {
  let api: TestServer;
  beforeAll(async () => {
    api = await startTestServer();
    await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'bounded' } });
    await api.call('POST', `${ROOT}/serviceaccounts`, { metadata: { name: 'default' } });
  });
  afterAll(() => api[Symbol.asyncDispose]());

  /** What is said of a pod under these limits; undefined when it is taken. */
  async function verdict(limits: object[], spec: object): Promise<string | undefined> {
    expect((await api.call('POST', `${ROOT}/limitranges`, { metadata: { name: 'bounds' }, spec: { limits } })).json).toMatchObject({ kind: 'LimitRange' });
    const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } };
    const { status, json } = await api.call('POST', `${ROOT}/pods?dryRun=All`, pod);
    await api.call('DELETE', `${ROOT}/limitranges/bounds`);
    return status === 201 ? undefined : json.message.replace('pods "p" is forbidden: ', '');
  }
  const container = (requests?: object, limits?: object, more: object = {}) => ({ name: 'c', image: 'i', resources: { requests, limits }, ...more });

  it.each([
    // What there has to be at least is what is asked for, when nothing is.
    [{ min: { cpu: '100m' } }, {}, undefined],
    [{ min: { cpu: '100m' } }, { containers: [container({ cpu: '50m' })] }, 'minimum cpu usage per Container is 100m, but request is 50m'],
    [{ min: { cpu: '100m' } }, { containers: [container({ cpu: '50m' }, { cpu: '60m' })] }, 'minimum cpu usage per Container is 100m, but limit is 60m'],
    [{ max: { memory: '1Gi' } }, {}, undefined],
    [{ max: { memory: '1Gi' } }, { containers: [container(undefined, { memory: '2Gi' })] }, 'maximum memory usage per Container is 1Gi, but limit is 2Gi'],
    [
      { maxLimitRequestRatio: { cpu: '2' } },
      { containers: [container({ cpu: '100m' }, { cpu: '250m' })] },
      'cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000',
    ],
    [{ maxLimitRequestRatio: { cpu: '2' } }, { containers: [container({ cpu: '100m' }, { cpu: '200m' })] }, undefined],
    [{ maxLimitRequestRatio: { cpu: '2' } }, {}, 'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0'],
    [
      { maxLimitRequestRatio: { cpu: '2' } },
      { containers: [container({ cpu: '100m' })] },
      'cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0',
    ],
  ])('%j, %j', async (limits, spec, expected) => expect(await verdict([{ type: 'Container', ...limits }], spec)).toBe(expected));

  it('adds up a pod: what stays beside what runs, or the most that comes before', async () => {
    const limits = [{ type: 'Pod', max: { cpu: '1' } }];
    const sidecar = container({ cpu: '600m' }, { cpu: '600m' }, { name: 's', restartPolicy: 'Always' });
    const containers = [container({ cpu: '500m' }, { cpu: '500m' })];
    expect(await verdict(limits, {})).toBe('maximum cpu usage per Pod is 1.  No limit is specified');
    expect(await verdict(limits, { containers })).toBeUndefined();
    expect(await verdict(limits, { containers, initContainers: [sidecar] })).toBe('maximum cpu usage per Pod is 1, but limit is 1100m');
    expect(await verdict(limits, { containers, initContainers: [{ ...sidecar, restartPolicy: undefined }] })).toBeUndefined();
    expect(await verdict(limits, { containers, resources: { limits: { cpu: '2' } } })).toBe('maximum cpu usage per Pod is 1, but limit is 2');
  });

  it('says what it has filled in, containers first', async () => {
    await api.call('POST', `${ROOT}/limitranges`, {
      metadata: { name: 'd' },
      spec: { limits: [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '1' } }] },
    });
    const made = await api.call('POST', `${ROOT}/pods?dryRun=All`, {
      metadata: { name: 'p' },
      spec: { initContainers: [{ name: 'i', image: 'i' }], containers: [{ name: 'c', image: 'i' }] },
    });
    expect(made.json.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c; cpu request for init container i; cpu limit for init container i',
    );
    // Its class of service follows from what it has in the end.
    expect(made.json.status.qosClass).toBe('Burstable');
    await api.call('DELETE', `${ROOT}/limitranges/d`);
  });
});
