import type { EndpointSlice, Service } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { servicePorts } from './service-ports.js';
import { ServiceTracker } from './service-tracker.js';

const service = (spec: Service['spec'] = {}, more: Partial<Service> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name: 'web' },
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
  ...more,
});
const slice = (name: string, endpoints: EndpointSlice['endpoints'], more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'default', name, labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: endpoints ?? [],
  ...more,
});

describe('servicePorts', () => {
  it('joins ports with the slices that have them, and knows what is on this node', () => {
    const slices = [
      slice('web-1', [{ addresses: ['10.0.0.2'], nodeName: 'n1' }]),
      slice('web-2', [{ addresses: ['10.0.0.1'], nodeName: 'n2', conditions: { ready: false, serving: true, terminating: true } }]),
    ];
    expect(servicePorts(service(), slices, { name: 'n1' })).toEqual([
      {
        key: 'default/web:http',
        protocol: 'TCP',
        port: 80,
        clusterIPs: ['10.96.0.10'],
        externalIPs: [],
        loadBalancerIPs: [],
        loadBalancerSourceRanges: [],
        nodePort: 0,
        internalTrafficPolicy: 'Cluster',
        externalTrafficPolicy: 'Cluster',
        endpoints: [
          { ip: '10.0.0.1', port: 8080, local: false, ready: false, serving: true, terminating: true },
          { ip: '10.0.0.2', port: 8080, local: true, ready: true, serving: true, terminating: false },
        ],
      },
    ]);
  });

  it.each([
    ['headless', service({ clusterIP: 'None', clusterIPs: ['None'] })],
    ['without an address yet', service({ clusterIP: '', clusterIPs: [] })],
    ['an alias', service({ type: 'ExternalName', externalName: 'example.com' })],
    ["another proxy's", service({}, { metadata: { namespace: 'default', name: 'web', labels: { 'service.kubernetes.io/service-proxy-name': 'other' } } })],
  ])('leaves out a Service that is %s', (_what, s) => {
    expect(servicePorts(s, [], { name: 'n1' })).toEqual([]);
  });

  it('endpoints that are for this node serve it alone; without one for it, all do', () => {
    const on = (node: string, ip: string, ready = true) => ({ addresses: [ip], nodeName: node, conditions: { ready }, hints: { forNodes: [{ name: node }] } });
    const ips = (endpoints: EndpointSlice['endpoints'], node: string) =>
      servicePorts(service(), [slice('s', endpoints)], { name: node })[0]?.endpoints.map(({ ip }) => ip);
    const both = [on('n1', '10.0.0.1'), on('n2', '10.0.0.2')];
    expect(ips(both, 'n1')).toEqual(['10.0.0.1']);
    expect(ips(both, 'n3')).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(ips([on('n1', '10.0.0.1', false), on('n2', '10.0.0.2')], 'n1')).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(ips([...both, { addresses: ['10.0.0.3'] }], 'n1')).toHaveLength(3);
  });

  it('endpoints that are for the zone serve it alone, those for the node before them', () => {
    const on = (zone: string, ip: string, node?: string) => ({
      addresses: [ip],
      conditions: { ready: true },
      hints: { forZones: [{ name: zone }], ...(node ? { forNodes: [{ name: node }] } : {}) },
    });
    const ips = (endpoints: EndpointSlice['endpoints'], name: string, zone?: string) =>
      servicePorts(service(), [slice('s', endpoints)], { name, ...(zone ? { zone } : {}) })[0]?.endpoints.map(({ ip }) => ip);
    const zoned = [on('a', '10.0.0.1'), on('b', '10.0.0.2')];
    expect([ips(zoned, 'n1', 'a'), ips(zoned, 'n1', 'c'), ips(zoned, 'n1')]).toEqual([['10.0.0.1'], ['10.0.0.1', '10.0.0.2'], ['10.0.0.1', '10.0.0.2']]);
    const both = [on('a', '10.0.0.1', 'n1'), on('a', '10.0.0.2', 'n2'), on('b', '10.0.0.3', 'n3')];
    expect([ips(both, 'n1', 'a'), ips(both, 'n9', 'a'), ips(both, 'n9', 'z')]).toEqual([
      ['10.0.0.1'],
      ['10.0.0.1', '10.0.0.2'],
      ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
    ]);
  });

  it('node ports, load balancer addresses and affinity', () => {
    const [port] = servicePorts(
      service(
        {
          type: 'LoadBalancer',
          ports: [{ port: 53, protocol: 'UDP', nodePort: 30053 }],
          sessionAffinity: 'ClientIP',
          externalTrafficPolicy: 'Local',
          loadBalancerSourceRanges: [' 10.0.0.0/8'],
        },
        { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'Proxy' }, { hostname: 'x' }] } } },
      ),
      [],
      { name: 'n1' },
    );
    expect(port).toMatchObject({
      key: 'default/web:',
      protocol: 'UDP',
      nodePort: 30053,
      loadBalancerIPs: ['192.0.2.1'],
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      sessionAffinitySeconds: 10800,
      externalTrafficPolicy: 'Local',
    });
  });

  it('a slice of names has no addresses, and a port of another protocol is another port', () => {
    const slices = [
      slice('a', [{ addresses: ['x.example'] }], { addressType: 'FQDN' }),
      slice('d', [{ addresses: ['10.0.0.4'] }], { ports: [{ name: 'http', port: 70_000, protocol: 'TCP' }] }),
      slice('b', [{ addresses: ['10.0.0.1'] }], { ports: [{ name: 'http', port: 8080, protocol: 'UDP' }] }),
    ];
    expect(servicePorts(service(), slices, { name: 'n1' })[0]?.endpoints).toEqual([]);
  });
});

describe('ServiceTracker', () => {
  it('gives what changed, and only that', () => {
    const tracker = new ServiceTracker('n1');
    tracker.setService(service());
    tracker.setSlice(slice('web-1', [{ addresses: ['10.0.0.2'] }]));
    expect(tracker.take().upsert.map((s) => s.key)).toEqual(['default/web:http']);
    tracker.setSlice(slice('web-1', [{ addresses: ['10.0.0.2'] }]));
    expect(tracker.take()).toEqual({ upsert: [], remove: [] });
    tracker.setService(service({ ports: [{ name: 'admin', port: 81 }] }));
    expect(tracker.take()).toMatchObject({ upsert: [{ key: 'default/web:admin' }], remove: ['default/web:http'] });
    tracker.deleteService(service());
    expect(tracker.take()).toEqual({ upsert: [], remove: ['default/web:admin'] });
  });

  it('takes slices that come before their Service', () => {
    const tracker = new ServiceTracker('n1');
    tracker.setSlice(slice('web-1', [{ addresses: ['10.0.0.2'] }]));
    expect(tracker.take()).toEqual({ upsert: [], remove: [] });
    tracker.setService(service());
    expect(tracker.take().upsert[0]?.endpoints).toHaveLength(1);
  });

  it('counts local endpoints for health check node ports', () => {
    const tracker = new ServiceTracker('n1');
    tracker.setService(service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 31000 }));
    tracker.setSlice(
      slice('web-1', [
        { addresses: ['10.0.0.2'], nodeName: 'n1' },
        { addresses: ['10.0.0.3'], nodeName: 'n2' },
      ]),
    );
    tracker.take();
    expect(tracker.healthChecks()).toEqual([{ namespace: 'default', name: 'web', port: 31000, localEndpoints: 1 }]);
  });
});
