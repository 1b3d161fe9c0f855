import type { EndpointSlice, Service } from '@coxswain/api';
import { describe, expect, test } from 'vitest';
import { DnsModel } from './dns-model.js';

function service(name: string, spec: object): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec } as Service;
}

function slice(owner: string, endpoints: object[], ports: object[] = [], addressType = 'IPv4'): EndpointSlice {
  const metadata = { name: owner, namespace: 'default', labels: { 'kubernetes.io/service-name': owner } };
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType, endpoints, ports } as EndpointSlice;
}

const model = new DnsModel({ zone: 'cluster.local', ttl: 5, serverAddresses: ['10.96.0.10'] });
model.setNamespace('default', true);
model.setService(
  'default/web',
  service('web', {
    clusterIP: '10.96.0.5',
    clusterIPs: ['10.96.0.5', 'fd00::5'],
    ports: [
      { name: 'http', port: 80, protocol: 'TCP' },
      { port: 53, protocol: 'UDP' },
    ],
  }),
);
model.setSlice('default/web-1', slice('web', [{ addresses: ['10.244.0.9'], conditions: { ready: true } }]));
model.setService('default/db', service('db', { clusterIP: 'None', ports: [{ name: 'pg', port: 1 }] }));
model.setSlice(
  'default/db-1',
  slice(
    'db',
    [
      { addresses: ['10.244.0.2'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.244.0.3'], conditions: {} },
      { addresses: ['10.244.0.4'], hostname: 'db-2', conditions: { ready: false } },
    ],
    [{ name: 'pg', port: 5432, protocol: 'TCP' }],
  ),
);
model.setSlice('default/db-2', slice('db', [{ addresses: ['fd00::2'], hostname: 'db-0', conditions: { ready: true } }], [{ name: 'pg', port: 5432 }], 'IPv6'));
model.setService('default/idle', service('idle', { clusterIP: 'None' }));
model.setService('default/out', service('out', { type: 'ExternalName', externalName: 'example.org.' }));

/** `A 10.0.0.1`; or how nothing was found. */
function ask(name: string, type: string): string[] | string {
  const result = model.lookup(name, type);
  if (result.status !== 'found') return result.status;
  return result.answers.map((a) => {
    const data = (a as { data: unknown }).data;
    if (a.type !== 'SRV') return `${a.type} ${String(data)}`;
    const { port, target } = data as { port: number; target: string };
    return `SRV ${port} ${target}`;
  });
}

describe('Kubernetes DNS specification 1.1.0', () => {
  test('2.2 schema version', () => {
    expect(ask('dns-version.cluster.local', 'TXT')).toEqual(['TXT 1.1.0']);
    expect(ask('dns-version.cluster.local', 'A')).toEqual([]);
  });

  test('2.3 services with a cluster IP', () => {
    expect(ask('web.default.svc.cluster.local', 'A')).toEqual(['A 10.96.0.5']);
    expect(ask('WEB.Default.svc.Cluster.Local', 'AAAA')).toEqual(['AAAA fd00::5']);
    expect(ask('_http._tcp.web.default.svc.cluster.local', 'SRV')).toEqual(['SRV 80 web.default.svc.cluster.local']);
    expect(ask('5.0.96.10.in-addr.arpa', 'PTR')).toEqual(['PTR web.default.svc.cluster.local']);
    const nibbles = `${'5.0.0.0.'}${'0.0.0.0.'.repeat(6)}0.0.d.f.ip6.arpa`;
    expect(ask(nibbles, 'PTR')).toEqual(['PTR web.default.svc.cluster.local']);
  });

  test('2.3.2 unnamed ports have no SRV record', () => {
    expect(ask('_._udp.web.default.svc.cluster.local', 'SRV')).toBe('no-name');
    expect(ask('web.default.svc.cluster.local', 'SRV')).toEqual(['SRV 80 web.default.svc.cluster.local']);
  });

  test('2.4 headless services: ready endpoints, by hostname or an identifier', () => {
    expect(ask('db.default.svc.cluster.local', 'A')).toEqual(['A 10.244.0.2', 'A 10.244.0.3']);
    expect(ask('db.default.svc.cluster.local', 'AAAA')).toEqual(['AAAA fd00::2']);
    expect(ask('db-0.db.default.svc.cluster.local', 'A')).toEqual(['A 10.244.0.2']);
    expect(ask('10-244-0-3.db.default.svc.cluster.local', 'A')).toEqual(['A 10.244.0.3']);
    expect(ask('db-2.db.default.svc.cluster.local', 'A')).toBe('no-name');
    expect(ask('_pg._tcp.db.default.svc.cluster.local', 'SRV')).toEqual([
      'SRV 5432 db-0.db.default.svc.cluster.local',
      'SRV 5432 10-244-0-3.db.default.svc.cluster.local',
    ]);
    expect(ask('2.0.244.10.in-addr.arpa', 'PTR')).toEqual(['PTR db-0.db.default.svc.cluster.local']);
    expect(ask('9.0.244.10.in-addr.arpa', 'PTR')).toBe('outside');
  });

  test('2.4.1 a headless service without ready endpoints has no name', () => {
    expect(ask('idle.default.svc.cluster.local', 'A')).toBe('no-name');
  });

  test('2.4 publishNotReadyAddresses', () => {
    const own = new DnsModel({ zone: 'cluster.local', ttl: 5, serverAddresses: [] });
    own.setSlice('default/a', slice('a', [{ addresses: ['10.244.0.4'], conditions: { ready: false } }]));
    own.setService('default/a', service('a', { clusterIP: 'None', publishNotReadyAddresses: true }));
    expect(own.lookup('a.default.svc.cluster.local', 'A')).toMatchObject({ status: 'found', answers: [{ data: '10.244.0.4' }] });
  });

  test('2.5 external names', () => {
    expect(ask('out.default.svc.cluster.local', 'CNAME')).toEqual(['CNAME example.org']);
    expect(model.lookup('out.default.svc.cluster.local', 'A')).toMatchObject({ status: 'alias', target: 'example.org' });
  });

  test('2.6 pod addresses', () => {
    expect(ask('10-244-0-7.default.pod.cluster.local', 'A')).toEqual(['A 10.244.0.7']);
    expect(ask('10-244-0-7.default.pod.cluster.local', 'AAAA')).toEqual([]);
    expect(ask('10-244-0-777.default.pod.cluster.local', 'A')).toBe('no-name');
    expect(ask('10-244-0-7.nowhere.pod.cluster.local', 'A')).toBe('no-name');
  });

  test('names that only have names below them exist, others do not', () => {
    for (const name of ['cluster.local', 'svc.cluster.local', 'default.svc.cluster.local', 'default.pod.cluster.local', '_tcp.web.default.svc.cluster.local']) {
      expect(ask(name, 'A'), name).toEqual([]);
    }
    for (const name of [
      'x.cluster.local',
      'none.default.svc.cluster.local',
      'web.none.svc.cluster.local',
      '_sctp.web.default.svc.cluster.local',
      'a.b.c.d.web.default.svc.cluster.local',
    ]) {
      expect(ask(name, 'A'), name).toBe('no-name');
    }
    expect(ask('web.default.svc.example.org', 'A')).toBe('outside');
    expect(ask('notcluster.local', 'A')).toBe('outside');
  });

  test('changes take their old records away', () => {
    const own = new DnsModel({ zone: 'z', ttl: 5, serverAddresses: [] });
    own.setService('default/a', service('a', { clusterIP: '10.0.0.1' }));
    own.setService('default/a', service('a', { clusterIP: '10.0.0.2' }));
    expect(own.lookup('1.0.0.10.in-addr.arpa', 'PTR').status).toBe('outside');
    expect(own.lookup('2.0.0.10.in-addr.arpa', 'PTR').status).toBe('found');
    own.setSlice('default/s', slice('b', [{ addresses: ['10.0.0.3'] }]));
    own.setService('default/b', service('b', { clusterIP: 'None' }));
    own.setSlice('default/s', slice('c', [{ addresses: ['10.0.0.3'] }]));
    expect(own.lookup('b.default.svc.z', 'A').status).toBe('no-name');
    own.setService('default/a', undefined);
    expect(own.lookup('a.default.svc.z', 'A').status).toBe('no-name');
    expect(own.lookup('2.0.0.10.in-addr.arpa', 'PTR').status).toBe('outside');
  });
});
