import type { ConfigMap, Pod, Service } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { registryCredentials } from '../images/credentials.js';
import { parseImageName, pullPolicy } from '../images/image-name.js';
import { containerResources, podCgroupLimits, podRequest } from '../pod/resources.js';
import { qosClass } from '../pod/qos.js';
import { requestAttributes } from '../server/auth.js';
import { podDns } from './dns.js';
import { environment } from './environment.js';
import { expand } from './expand.js';
import { podHostname } from './hostname.js';
import { checkNonRoot } from './security.js';
import { linkedServices, serviceEnv } from './service-env.js';

const pod = (spec: Partial<NonNullable<Pod['spec']>>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'x' } },
  spec: { containers: [], ...spec },
});

describe('environment', () => {
  const context = { nodeName: 'n', hostIPs: ['1.1.1.1'], podIPs: ['10.0.0.1'], allocatable: { cpu: '2' } };

  it('expands references as upstream does', () => {
    const lookup = (name: string) => ({ A: 'x' })[name];
    expect(expand('$(A) $$(A) $(B) $A $( $', lookup)).toBe('x $(A) $(B) $A $( $');
  });

  it('takes envFrom with prefix, skips invalid names, and lets env win', async () => {
    const skipped: string[] = [];
    const map: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { a: '1', 'b=c': '2', d: '3' } };
    const env = await environment(
      pod({}),
      {
        name: 'c',
        envFrom: [{ prefix: 'P_', configMapRef: { name: 'm' } }, { secretRef: { name: 'none', optional: true } }],
        env: [
          { name: 'P_d', value: 'own' },
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          { name: 'L', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        ],
      },
      { ...context, services: [], configMap: async () => map, secret: async () => undefined, invalidNames: (_k, _n, keys) => skipped.push(...keys) },
    );
    expect(Object.fromEntries(env.map((e) => [e.name, e.value]))).toEqual({ P_a: '1', P_d: 'own', IP: '10.0.0.1', CPU: '2000', L: 'x' });
    expect(skipped).toEqual(['b=c']);
  });

  it('knows the services of its namespace, and the API server always', () => {
    const service = (namespace: string, name: string): Service => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
    });
    const all = [service('default', 'kubernetes'), service('ns', 'my-svc'), service('other', 'far'), service('default', 'near')];
    expect(Object.keys(serviceEnv(linkedServices(all, 'ns', false)))).toEqual([
      'KUBERNETES_SERVICE_HOST',
      'KUBERNETES_SERVICE_PORT',
      'KUBERNETES_SERVICE_PORT_HTTPS',
      'KUBERNETES_PORT',
      'KUBERNETES_PORT_443_TCP',
      'KUBERNETES_PORT_443_TCP_PROTO',
      'KUBERNETES_PORT_443_TCP_PORT',
      'KUBERNETES_PORT_443_TCP_ADDR',
    ]);
    expect(serviceEnv(linkedServices(all, 'ns', true))).toMatchObject({ MY_SVC_SERVICE_HOST: '10.96.0.1', MY_SVC_PORT: 'tcp://10.96.0.1:443' });
    expect(serviceEnv(linkedServices(all, 'ns', true))['FAR_SERVICE_HOST']).toBeUndefined();
  });
});

describe('dns and names', () => {
  const options = { clusterDNS: ['10.96.0.10'], clusterDomain: 'cluster.local', host: { servers: ['8.8.8.8'], searches: ['corp'], options: [] } };

  it('asks the cluster first', () => {
    expect(podDns(pod({}), options)).toEqual({
      servers: ['10.96.0.10'],
      searches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp'],
      options: ['ndots:5'],
    });
    expect(podDns(pod({ hostNetwork: true }), options).servers).toEqual(['8.8.8.8']);
    expect(
      podDns(
        pod({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.2.3.4'], searches: ['a'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] } }),
        options,
      ),
    ).toEqual({ servers: ['1.2.3.4'], searches: ['a'], options: ['ndots:2', 'edns0'] });
    expect(podDns(pod({ dnsConfig: { options: [{ name: 'ndots', value: '1' }] } }), options).options).toEqual(['ndots:1']);
  });

  it('cuts long host names without leaving a dash at the end', () => {
    const long: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${'a'.repeat(62)}-bbb` }, spec: { containers: [] } };
    expect(podHostname(long, 'cluster.local').hostname).toBe('a'.repeat(62));
    expect(podHostname(pod({ subdomain: 'sub' }), 'cluster.local')).toEqual({ hostname: 'p', domain: 'sub.ns.svc.cluster.local' });
  });
});

describe('resources', () => {
  const options = { cpuCfsQuota: true, cpuCfsPeriodMicros: 100_000, memoryCapacity: 8 * 2 ** 30 };
  const c = (requests?: Record<string, string>, limits?: Record<string, string>) => ({
    name: 'c',
    resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
  });

  it('finds the quality class', () => {
    expect(qosClass(pod({ containers: [c()] }))).toBe('BestEffort');
    expect(qosClass(pod({ containers: [c({ cpu: '1' })] }))).toBe('Burstable');
    expect(qosClass(pod({ containers: [c({ cpu: '1', memory: '1Gi' }, { cpu: '1000m', memory: '1024Mi' })] }))).toBe('Guaranteed');
    expect(qosClass(pod({ containers: [c(undefined, { cpu: '1', memory: '1Gi' }), c()] }))).toBe('Burstable');
  });

  it('gives containers shares, quota, limit and OOM score', () => {
    const burstable = pod({ containers: [c({ cpu: '250m', memory: '1Gi' }, { cpu: '500m', memory: '2Gi' })] });
    expect(containerResources(burstable, burstable.spec?.containers[0] ?? { name: '' }, options)).toEqual({
      cpuShares: 256,
      cpuPeriod: 100_000,
      cpuQuota: 50_000,
      memoryLimit: 2 ** 31,
      oomScoreAdj: 875,
    });
    const none = pod({ containers: [c()] });
    expect(containerResources(none, c(), options)).toEqual({ cpuShares: 2, cpuPeriod: 100_000, cpuQuota: -1, memoryLimit: 0, oomScoreAdj: 1000 });
    expect(podCgroupLimits(burstable, options)).toEqual({ cpuShares: 256, cpuPeriodMicros: 100_000, cpuQuotaMicros: 50_000, memoryBytes: 2 ** 31 });
  });

  it("holds a container without limits to its pod's, and shares what the pod requests beyond its containers", () => {
    const p = pod({
      resources: { requests: { cpu: '300m', memory: '2Gi' }, limits: { cpu: '400m', memory: '4Gi' } },
      containers: [c({ cpu: '100m', memory: '1Gi' }, { memory: '1Gi' }), c()],
    });
    const [own, none] = (p.spec?.containers ?? []).map((container) => containerResources(p, container, options));
    expect(own).toEqual({ cpuShares: 102, cpuPeriod: 100_000, cpuQuota: 40_000, memoryLimit: 2 ** 30, oomScoreAdj: 812 });
    expect(none).toEqual({ cpuShares: 409, cpuPeriod: 100_000, cpuQuota: 40_000, memoryLimit: 2 ** 32, oomScoreAdj: 937 });
  });

  it('counts init containers by their peak and sidecars with the rest', () => {
    const p = pod({ initContainers: [{ ...c({ cpu: '1' }), restartPolicy: 'Always' }, c({ cpu: '5' })], containers: [c({ cpu: '2' })] });
    expect(podRequest(p, 'cpu')).toBe(6);
  });
});

describe('images and credentials', () => {
  it('reads names', () => {
    expect(parseImageName('busybox')).toMatchObject({ name: 'busybox:latest', registry: 'docker.io', repository: 'busybox' });
    expect(parseImageName('localhost:5000/a/b:1')).toMatchObject({ registry: 'localhost:5000', repository: 'a/b', tag: '1' });
    for (const bad of ['', 'UPPER', 'a b', 'a:', 'a@sha256:zz']) expect(parseImageName(bad)).toBeUndefined();
    const name = parseImageName('busybox');
    expect(name && pullPolicy(undefined, name)).toBe('Always');
  });

  it('finds the credentials that fit, the closest first', () => {
    const auths = {
      'https://index.docker.io/v1/': { auth: Buffer.from('u:p:q').toString('base64') },
      '*.example.com': { username: 'wild' },
      'r.example.com/team': { username: 'team' },
    };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') } };
    const of = (image: string) =>
      [parseImageName(image)].flatMap((name) => (name ? registryCredentials(name, [secret]) : [])).map(({ auth }) => `${auth.username}:${auth.password}`);
    expect(of('busybox')).toEqual(['u:p:q']);
    expect(of('r.example.com/team/x')).toEqual(['team:', 'wild:']);
    expect(of('quay.io/x')).toEqual([]);
  });
});

describe('rules', () => {
  it('refuses root where the spec forbids it', () => {
    const p = pod({ securityContext: { runAsNonRoot: true } });
    expect(() => checkNonRoot(p, { name: 'c' }, { username: '' })).toThrow(
      'container has runAsNonRoot and image will run as root (pod: "p_ns(u)", container: c)',
    );
    expect(() => checkNonRoot(p, { name: 'c', securityContext: { runAsUser: 0 } }, undefined)).toThrow("container's runAsUser breaks non-root policy");
    expect(() => checkNonRoot(p, { name: 'c' }, { username: 'www' })).toThrow('image has non-numeric user (www), cannot verify user is non-root');
    expect(() => checkNonRoot(p, { name: 'c', securityContext: { runAsUser: 5 } }, undefined)).not.toThrow();
  });

  it('asks for the right of each path', () => {
    expect(requestAttributes('GET', '/stats/summary')).toEqual({ verb: 'get', subresources: ['stats'] });
    expect(requestAttributes('GET', '/metrics/cadvisor').subresources).toEqual(['metrics']);
    expect(requestAttributes('GET', '/logs/x').subresources).toEqual(['log']);
    expect(requestAttributes('POST', '/exec/ns/p/c')).toEqual({ verb: 'create', subresources: ['proxy'] });
    expect(requestAttributes('GET', '/containerLogs/ns/p/c').subresources).toEqual(['proxy']);
  });
});
