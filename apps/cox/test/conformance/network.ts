import { eventually } from '../cluster-fixture.js';
import type { Json } from './api-access.js';
import { type Check, same, truly, WEB } from './check.js';
import { client, endpointsBe, fails, httpFromHere, many, netserver, nodeAddress, reaches, service, udpFrom, webPods } from './network-probes.js';

export const checks: Check[] = [
  {
    name: 'API Server should have Endpoints and EndpointSlices pointing to API Server; find a service from listing all namespaces',
    async run(c) {
      const endpoints = await c.api.get('/api/v1/namespaces/default/endpoints/kubernetes');
      same(endpoints.subsets.length, 1, 'subsets');
      const { items } = await c.api.get('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes');
      same(items[0].endpoints[0].addresses[0], endpoints.subsets[0].addresses[0].ip, 'the same address');
      same(items[0].ports[0].port, endpoints.subsets[0].ports[0].port, 'the same port');
      const services = (await c.api.get('/api/v1/services')).items;
      const kubernetes = services.find((s: Json) => s.metadata.name === 'kubernetes' && s.metadata.namespace === 'default');
      truly(kubernetes, 'the kubernetes service');
      same([kubernetes.spec.ports[0].port, kubernetes.spec.ports[0].name], [443, 'https'], 'secure master service');
    },
  },
  {
    name: 'Services should serve a basic endpoint from pods',
    async run(c) {
      await service(c, 's', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 80 }] });
      await endpointsBe(c, 's', {});
      await webPods(c, ['pod1']);
      await endpointsBe(c, 's', { pod1: [80] });
      await client(c);
      await reaches(c, `s.${c.ns}`, ['pod1']);
      await webPods(c, ['pod2']);
      await endpointsBe(c, 's', { pod1: [80], pod2: [80] });
      await c.api.delete(`${c.core}/pods/pod1`);
      await endpointsBe(c, 's', { pod2: [80] });
      await reaches(c, 's', ['pod2']);
      await c.api.delete(`${c.core}/pods/pod2`);
      await endpointsBe(c, 's', {});
      await fails(c, 's');
    },
  },
  {
    name: 'Services should serve multiport endpoints from pods',
    async run(c) {
      await service(c, 's', {
        selector: { app: 'multi' },
        ports: [
          { name: 'portname1', port: 80, targetPort: 100 },
          { name: 'portname2', port: 81, targetPort: 'second' },
        ],
      });
      const web = (port: number) => WEB.replace('-p 80', `-p ${port}`);
      await c.pod('pod1', { command: web(100), container: { ports: [{ containerPort: 100 }] } }, { labels: { app: 'multi' } });
      await c.running('pod1');
      await endpointsBe(c, 's', { pod1: [100] });
      await c.pod('pod2', { command: web(101), container: { ports: [{ containerPort: 101, name: 'second' }] } }, { labels: { app: 'multi' } });
      await c.running('pod2');
      await endpointsBe(c, 's', { pod1: [100], pod2: [100, 101] });
      await client(c);
      await reaches(c, 's:81', ['pod2']);
      await c.api.delete(`${c.core}/pods/pod1`);
      await endpointsBe(c, 's', { pod2: [100, 101] });
    },
  },
  {
    name: 'Services should be able to create a functioning NodePort service',
    async run(c) {
      const made = await service(c, 's', { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }] });
      const port = made.spec.ports[0].nodePort;
      truly(port > 1024, `node port ${port}`);
      await webPods(c, ['pod1', 'pod2']);
      await client(c);
      const address = await nodeAddress(c);
      for (const url of ['s', made.spec.clusterIP, `${address}:${port}`]) await reaches(c, url, ['pod1', 'pod2']);
      same((await many(c, made.spec.clusterIP, 20)).size, 2, 'pods that answer');
      truly(['pod1', 'pod2'].includes(await httpFromHere(address, port)), 'from the node');
    },
  },
  {
    name: 'Services type changes: ExternalName to ClusterIP and NodePort, and back',
    async run(c) {
      await webPods(c, ['pod1']);
      await client(c);
      const at = `${c.core}/services`;
      await service(c, 'ext-cluster', { type: 'ExternalName', externalName: 'foo.example.com' });
      const cluster = await c.api.change(`${at}/ext-cluster`, (s) => {
        s.spec = { type: 'ClusterIP', ports: [{ port: 80, name: 'http', protocol: 'TCP' }], selector: { app: 'web' } };
      });
      truly(cluster.spec.clusterIP && !cluster.spec.externalName, JSON.stringify(cluster.spec));
      await service(c, 'ext-node', { type: 'ExternalName', externalName: 'example.com' });
      const node = await c.api.change(`${at}/ext-node`, (s) => {
        s.spec.type = 'NodePort';
        s.spec.externalName = '';
        s.spec.ports = [{ port: 80, name: 'http', protocol: 'TCP' }];
        s.spec.selector = { app: 'web' };
      });
      const port = node.spec.ports[0].nodePort;
      truly(port, 'a node port');
      await reaches(c, 'ext-cluster', ['pod1']);
      await reaches(c, 'ext-node', ['pod1']);
      await reaches(c, `${await nodeAddress(c)}:${port}`, ['pod1']);
      // And back: the address and the port are given up.
      const back = await c.api.change(`${at}/ext-node`, (s) => {
        s.spec.type = 'ExternalName';
        s.spec.externalName = `ext-cluster.${c.ns}.svc.cluster.local`;
        s.spec.clusterIP = '';
        delete s.spec.clusterIPs;
        delete s.spec.ports[0].nodePort;
      });
      truly(!back.spec.clusterIP && !back.spec.ports[0].nodePort, JSON.stringify(back.spec));
      await reaches(c, `ext-node.${c.ns}.svc.cluster.local`, ['pod1']);
      await fails(c, node.spec.clusterIP);
      const again = await c.api.change(`${at}/ext-cluster`, (s) => {
        s.spec.type = 'ExternalName';
        s.spec.externalName = 'foo.example.com';
        s.spec.clusterIP = '';
        delete s.spec.clusterIPs;
      });
      truly(!again.spec.clusterIP, 'no address');
    },
  },
  ...(['ClusterIP', 'NodePort'] as const).map(
    (type): Check => ({
      name: `Services should have session affinity work for ${type} service; switch session affinity`,
      async run(c) {
        const made = await service(c, 's', { type, sessionAffinity: 'ClientIP', selector: { app: 'web' }, ports: [{ port: 80 }] });
        same(made.spec.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10_800 } }, 'default timeout');
        await webPods(c, ['pod1', 'pod2', 'pod3']);
        await client(c);
        const url = type === 'ClusterIP' ? made.spec.clusterIP : `${await nodeAddress(c)}:${made.spec.ports[0].nodePort}`;
        await endpointsBe(c, 's', { pod1: [80], pod2: [80], pod3: [80] });
        await reaches(c, url);
        await eventually('affinity', async () => same((await many(c, url)).size, 1, 'pods with affinity'));
        await c.api.change(`${c.core}/services/s`, (s) => {
          s.spec.sessionAffinity = 'None';
          delete s.spec.sessionAffinityConfig;
        });
        await eventually('no affinity', async () => truly((await many(c, url)).size > 1, 'still one pod'));
        await c.api.change(`${c.core}/services/s`, (s) => {
          s.spec.sessionAffinity = 'ClientIP';
        });
        await eventually('affinity again', async () => same((await many(c, url)).size, 1, 'pods with affinity'));
      },
    }),
  ),
  {
    name: 'Services should serve endpoints on same port and different protocols; Granular Checks of pod and node communication: udp, http',
    async run(c) {
      const server = netserver(8080, 8080);
      await c.pod('server', server, { labels: { app: 'both' } });
      await c.pod('client', netserver(0, 9999));
      await c.running('server');
      await c.running('client');
      const made = await service(c, 's', {
        selector: { app: 'both' },
        ports: [
          { name: 'tcp-port', port: 80, protocol: 'TCP', targetPort: 8080 },
          { name: 'udp-port', port: 80, protocol: 'UDP', targetPort: 8080 },
        ],
      });
      const ip = made.spec.clusterIP;
      const { podIP } = (await c.api.get(`${c.core}/pods/server`)).status;
      const udp = (address: string, port: number) => udpFrom('client', address, port)(c);
      const udpWorks = (address: string, port: number) => eventually(`UDP ${address}:${port}`, async () => same(await udp(address, port), 'server', 'answer'));
      await reaches(c, `${podIP}:8080`, ['server']);
      await udpWorks(podIP, 8080);
      same(await httpFromHere(podIP, 8080), 'server', 'http from the node to the pod');
      await reaches(c, ip, ['server']);
      await udpWorks(ip, 80);
      const ports = (list: Json[]) =>
        c.api.change(`${c.core}/services/s`, (s) => {
          s.spec.ports = list;
        });
      await ports([{ name: 'tcp-port', port: 80, protocol: 'TCP', targetPort: 8080 }]);
      await reaches(c, ip, ['server']);
      await eventually('UDP to stop', async () => truly((await udp(ip, 80).catch(() => '')) === '', 'still answers'));
      await ports([{ name: 'udp-port', port: 80, protocol: 'UDP', targetPort: 8080 }]);
      await udpWorks(ip, 80);
      await fails(c, ip);
    },
  },
  {
    name: 'Services should complete a service status lifecycle',
    async run(c) {
      using watch = c.api.watch(`${c.core}/services`);
      await service(c, 's', { type: 'LoadBalancer', ports: [{ port: 80, name: 'http' }] }, { labels: { 'test-service-static': 'true' } });
      await watch.until('creation', (e) => e.type === 'ADDED');
      const at = `${c.core}/services/s`;
      same((await c.api.get(`${at}/status`)).status.loadBalancer, {}, 'status at first');
      const patch = { metadata: { annotations: { patchedstatus: 'true' } }, status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } } };
      await c.api.patch(`${at}/status`, 'merge', patch);
      await watch.until(
        'the patch',
        (e) => e.object.metadata.annotations?.patchedstatus === 'true' && e.object.status.loadBalancer?.ingress?.[0].ip === '203.0.113.1',
      );
      await c.api.change(
        at,
        (s) => {
          s.status.conditions = [
            { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from e2e test', lastTransitionTime: '2026-01-01T00:00:00Z' },
          ];
        },
        '/status',
      );
      await watch.until('the update', (e) => e.object.status.conditions?.[0]?.type === 'StatusUpdate');
      await c.api.patch(at, 'strategic', { metadata: { labels: { 'test-service': 'patched' } } });
      await watch.until('the label', (e) => e.object.metadata.labels['test-service'] === 'patched');
      await c.api.delete(at);
      await watch.until('deletion', (e) => e.type === 'DELETED');
    },
  },
  {
    name: 'Service endpoints latency should not be very high',
    async run(c) {
      await c.pod('p', {}, { labels: { name: 'lat' } });
      await c.running('p');
      using watch = c.api.watch(`${c.core}/endpoints`);
      const times: number[] = [];
      for (let round = 0; round < 10; round++)
        await Promise.all(
          Array.from({ length: 10 }, async (_, i) => {
            const name = `latency-${round}-${i}`;
            const start = performance.now();
            await service(c, name, { selector: { name: 'lat' }, ports: [{ port: 80 }] });
            await watch.until(name, (e) => e.object.metadata.name === name && e.object.subsets?.[0]?.addresses?.length === 1);
            times.push(performance.now() - start);
          }),
        );
      times.sort((a, b) => a - b);
      // Upstream's limits.
      truly((times[50] as number) < 20_000 && (times[98] as number) < 50_000, `p50 ${times[50]} ms, p99 ${times[98]} ms`);
    },
  },
  {
    name: 'EndpointsController and EndpointSlice: create and delete for a Service that matches pods and one that matches none',
    async run(c) {
      const slices = `/apis/discovery.k8s.io/v1/namespaces/${c.ns}/endpointslices`;
      const of = async (name: string) => (await c.api.get(`${slices}?labelSelector=kubernetes.io%2Fservice-name%3D${name}`)).items;
      const made = await service(c, 'empty', { selector: { does: 'not-match' }, ports: [{ name: 'example', port: 80 }] });
      await eventually('an empty Endpoints', async () => truly(((await c.api.get(`${c.core}/endpoints/empty`)).subsets ?? []).length === 0, 'not empty'));
      const [empty] = await eventually('an empty slice', async () => {
        const list = await of('empty');
        same(list.length, 1, 'slices');
        return list;
      });
      same([empty.metadata.labels['endpointslice.kubernetes.io/managed-by'], (empty.endpoints ?? []).length], ['endpointslice-controller.k8s.io', 0], 'slice');
      same(empty.metadata.ownerReferences[0].uid, made.metadata.uid, 'owner');
      await c.api.delete(`${c.core}/services/empty`);
      await c.gone(`${c.core}/endpoints/empty`);
      await eventually('no slice', async () => same((await of('empty')).length, 0, 'slices'));
      // Two services, ports by number and by name, one of them on one pod only.
      await c.pod('pod1', { container: { ports: [{ containerPort: 3000, name: 'example-name' }] } }, { labels: { foo: 'bar', pod: 'one' } });
      await c.pod(
        'pod2',
        {
          container: {
            ports: [
              { containerPort: 3001, name: 'example-name' },
              { containerPort: 3002, name: 'other-port' },
            ],
          },
        },
        { labels: { foo: 'bar', pod: 'two' } },
      );
      await service(c, 'one', { selector: { foo: 'bar' }, publishNotReadyAddresses: true, ports: [{ name: 'example', port: 80, targetPort: 'example-name' }] });
      await service(c, 'two', {
        selector: { foo: 'bar', pod: 'two' },
        ports: [
          { name: 'a', port: 80, targetPort: 'example-name' },
          { name: 'b', port: 81, targetPort: 'other-port' },
        ],
      });
      await c.running('pod1');
      await c.running('pod2');
      await endpointsBe(c, 'one', { pod1: [3000], pod2: [3001] });
      await endpointsBe(c, 'two', { pod2: [3001, 3002] });
      same((await of('one')).length, 2, 'slices of different ports');
      const target = (await of('two'))[0].endpoints[0];
      same([target.targetRef.kind, target.targetRef.name, target.conditions], ['Pod', 'pod2', { ready: true, serving: true, terminating: false }], 'endpoint');
    },
  },
  {
    name: 'EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete',
    async run(c) {
      await service(c, 'm', { ports: [{ name: 'example', port: 80 }] });
      const at = `${c.core}/endpoints`;
      const slices = async () =>
        (await c.api.get(`/apis/discovery.k8s.io/v1/namespaces/${c.ns}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dm`)).items;
      await c.api.post(at, { metadata: { name: 'm' }, subsets: [{ ports: [{ name: 'example', port: 80 }], addresses: [{ ip: '10.1.2.3' }] }] });
      await eventually('the mirror', async () => {
        const [slice] = await slices();
        same([slice?.endpoints?.[0]?.addresses, slice?.ports?.[0]?.port], [['10.1.2.3'], 80], 'slice');
        same(slice.metadata.labels['endpointslice.kubernetes.io/managed-by'], 'endpointslicemirroring-controller.k8s.io', 'managed by');
      });
      await c.api.change(`${at}/m`, (e) => {
        e.subsets[0].addresses = [{ ip: '10.2.3.4' }];
      });
      await eventually('the change', async () => same((await slices())[0]?.endpoints?.[0]?.addresses, ['10.2.3.4'], 'addresses'));
      await c.api.delete(`${at}/m`);
      await eventually('the end', async () => same((await slices()).length, 0, 'slices'));
    },
  },
  {
    name: 'EndpointSlice should support a Service with multiple ports specified in multiple EndpointSlices',
    async run(c) {
      const web = WEB.replace('exec httpd -f -p 80', 'httpd -p 9090 -h /tmp/w; exec httpd -f -p 8090');
      await c.pod('server', { command: web });
      await client(c);
      const ip = (await c.running('server')).status.podIP;
      const made = await service(c, 's', {
        ports: [
          { name: 'portname1', port: 80, targetPort: 8090 },
          { name: 'portname2', port: 81, targetPort: 9090 },
        ],
      });
      for (const [i, port] of [8090, 9090].entries())
        await c.api.post(`/apis/discovery.k8s.io/v1/namespaces/${c.ns}/endpointslices`, {
          metadata: { name: `s-${i}`, labels: { 'kubernetes.io/service-name': 's', 'endpointslice.kubernetes.io/managed-by': 'e2e-test' } },
          addressType: 'IPv4',
          endpoints: [{ addresses: [ip] }],
          ports: [{ name: `portname${i + 1}`, port, protocol: 'TCP' }],
        });
      await reaches(c, made.spec.clusterIP, ['server']);
      await reaches(c, `${made.spec.clusterIP}:81`, ['server']);
    },
  },
  {
    name: 'HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol',
    async run(c) {
      const address = await nodeAddress(c);
      const port = 30_000 - Math.floor(Math.random() * 5000) - 1;
      const server = netserver(8080, 8080);
      const pod = (name: string, hostIP: string, protocol: string) =>
        c.pod(name, { ...server, container: { ...server.container, ports: [{ containerPort: 8080, hostPort: port, hostIP, protocol }] } });
      await pod('pod1', '127.0.0.1', 'TCP');
      await c.running('pod1');
      await pod('pod2', address, 'TCP');
      await c.running('pod2');
      await pod('pod3', address, 'UDP');
      await c.running('pod3');
      same(await httpFromHere('127.0.0.1', port), 'pod1', 'TCP at loopback');
      same(await httpFromHere(address, port), 'pod2', 'TCP at the address');
      await pod('conflict', address, 'TCP');
      await c.until(`${c.core}/pods/conflict`, 'no node', (p) =>
        /free ports/.test(p.status.conditions?.find((x: Json) => x.type === 'PodScheduled')?.message ?? ''),
      );
    },
  },
  {
    name: 'Proxy version v1: pods and services through the API server, with every method',
    async run(c) {
      await c.pod(
        'web',
        {
          command: `mkdir -p /tmp/w/cgi-bin /tmp/w/dir; echo hello > /tmp/w/index.html; echo '<a href="/x">x</a>' > /tmp/w/dir/page.html
printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n"; echo "method=$REQUEST_METHOD query=$QUERY_STRING path=$PATH_INFO"' > /tmp/w/cgi-bin/echo
chmod +x /tmp/w/cgi-bin/echo; httpd -p 160 -h /tmp/w; exec httpd -f -p 80 -h /tmp/w`,
          container: {
            ports: [
              { containerPort: 80, name: 'dest1' },
              { containerPort: 160, name: 'dest2' },
            ],
          },
        },
        { labels: { app: 'proxy' } },
      );
      await service(c, 's', {
        selector: { app: 'proxy' },
        ports: [
          { name: 'portname1', port: 80, targetPort: 'dest1' },
          { name: 'portname2', port: 81, targetPort: 160 },
        ],
      });
      await c.running('web');
      const pod = `${c.core}/pods`;
      const svc = `${c.core}/services`;
      const targets = [
        `${pod}/web:80`,
        `${pod}/web:160`,
        `${pod}/http:web:160`,
        `${pod}/web`,
        `${svc}/s:portname1`,
        `${svc}/s:portname2`,
        `${svc}/s:80`,
        `${svc}/s:81`,
        `${svc}/http:s:portname1`,
      ];
      for (const target of targets) {
        await eventually(target, async () => {
          const answer = await c.api.raw('GET', `${target}/proxy/`);
          same([answer.code, answer.text.trim()], [200, 'hello'], target);
        });
      }
      for (const base of [`${pod}/web`, `${svc}/s:portname1`]) {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']) {
          const answer = await c.api.raw(method, `${base}/proxy/cgi-bin/echo/some/path?a=b&watch=true`, method === 'POST' ? 'x' : undefined, 'text/plain');
          if (method === 'HEAD') same([answer.code, answer.text], [200, ''], method);
          else same(answer.text.trim(), `method=${method} query=a=b&watch=true path=/some/path`, method);
        }
        // Without the slash one is sent to the path with it, so that relative links work.
        const bare = await c.api.raw('GET', `${base}/proxy`);
        same([bare.code, bare.headers.location], [301, `${base}/proxy/`], `redirect of ${base}/proxy`);
        const page = await c.api.raw('GET', `${base}/proxy/dir/page.html`);
        same(page.text.trim(), `<a href="${base}/proxy/x">x</a>`, 'rewritten link');
      }
      same((await c.api.raw('GET', `${svc}/s:nosuch/proxy/`)).code, 503, 'a port that is not there');
      same((await c.api.raw('GET', `${pod}/nosuch/proxy/`)).code, 404, 'a pod that is not there');
    },
  },
];
