import type { ServiceEndpoint, ServicePortSpec, ServiceProxy, ServiceProxyNode } from '@coxswain/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LabPod, labAddresses, NetLab } from './net-lab/net-lab.js';

/** Where a proxy of the suite works. */
export interface ServiceProxySuiteContext {
  /** Path of the node's network namespace. */
  readonly hostNetns: string;
  /** Tells proxies of one node apart; the same one again is the same proxy after a restart. */
  readonly id: 'A' | 'B';
  readonly node: ServiceProxyNode;
}

export interface ServiceProxySuiteOptions {
  readonly name: string;
  /** A new proxy, as a new process would make it: it knows nothing of one with the same id before it. */
  create(context: ServiceProxySuiteContext): ServiceProxy;
  /** Everything a proxy may have left in a namespace, as text, without counters: compared before and after. */
  rules(hostNetns: string): Promise<string>;
  /** Whether node ports answer on 127.0.0.1 too. Default true. */
  readonly localhostNodePorts?: boolean;
}

const { pods, podCIDRs, gateway, node: nodeAddress, client: clientAddress } = labAddresses;
const signal = new AbortController().signal;

/** An endpoint in one of the lab's pods. */
const at = (pod: LabPod, more: Partial<ServiceEndpoint> = {}): ServiceEndpoint => ({
  ip: pods[pod].v4,
  port: 8080,
  local: true,
  ready: true,
  serving: true,
  terminating: false,
  ...more,
});
const at6 = (pod: LabPod): ServiceEndpoint => at(pod, { ip: pods[pod].v6 });
const elsewhere = (pod: LabPod) => at(pod, { local: false });
const ending = (pod: LabPod) => at(pod, { ready: false, serving: true, terminating: true });

const service = (more: Partial<ServicePortSpec> = {}): ServicePortSpec => ({
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
  endpoints: [],
  ...more,
});

/** How long to wait for an answer that is not to come. */
const NONE = { timeoutMs: 400 };

/**
 * What every `ServiceProxy` must do, with real packets between network namespaces that the suite makes and removes. Needs root,
 * iproute2, nsenter and the `conntrack` program.
 */
export function serviceProxySuite(options: ServiceProxySuiteOptions): void {
  describe(`service proxy conformance: ${options.name}`, () => {
    let lab: NetLab;
    let proxy: ServiceProxy;
    const made = new Set<ServiceProxy>();

    const create = (id: 'A' | 'B' = 'A') => {
      const created = options.create({
        hostNetns: lab.node.path,
        id,
        node: { nodeName: 'node', nodeIPs: [nodeAddress.v4], clusterCIDRs: podCIDRs, nodePortAddresses: [] },
      });
      made.add(created);
      return created;
    };
    const begin = async (...specs: ServicePortSpec[]) => {
      proxy = create();
      await proxy.start(specs, signal);
    };
    const apply = (...specs: ServicePortSpec[]) => proxy.apply({ upsert: specs, remove: [] }, signal);
    /** The pods that answer to many requests. */
    const answering = async (ask: () => Promise<string>, times = 40) => {
      const seen = new Set<string>();
      for (let i = 0; i < times; i++) seen.add(await ask());
      return [...seen].sort();
    };
    const refused = (answer: Promise<string>) => expect(answer).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const dropped = (answer: Promise<string>) => expect(answer).rejects.toMatchObject({ code: 'timeout' });

    beforeAll(async () => {
      lab = await NetLab.create();
      const external = ['172.31.0.50', '172.31.0.60', '10.96.0.0/16'].map((to) => `route add ${to} via ${nodeAddress.v4}`);
      await lab.client.ip(...external);
    });
    afterEach(async () => {
      for (const each of made) await each.cleanup();
      made.clear();
    });
    afterAll(() => lab[Symbol.asyncDispose]());

    describe('cluster IPs', () => {
      it('reach every endpoint, from pods with their own address, and from the node', async () => {
        const { c } = lab.pods;
        await begin(service({ endpoints: [at('a'), at('b')] }));
        expect(await answering(() => c.tcp('10.96.0.10', 80))).toEqual([`a ${pods.c.v4}`, `b ${pods.c.v4}`]);
        expect(await lab.node.tcp('10.96.0.10', 80)).toMatch(/^[ab] /);
      });

      it('reach three endpoints about equally', async () => {
        await begin(service({ endpoints: [at('a'), at('b'), at('c')] }));
        const counts: Record<string, number> = {};
        for (let i = 0; i < 150; i++) {
          const [name = ''] = (await lab.node.tcp('10.96.0.10', 80)).split(' ');
          counts[name] = (counts[name] ?? 0) + 1;
        }
        // 50 each, with a standard deviation of 5.8: below 20 once in four million runs.
        expect(Math.min(counts['a'] ?? 0, counts['b'] ?? 0, counts['c'] ?? 0)).toBeGreaterThanOrEqual(20);
      });

      it('hide clients from outside the cluster behind the node', async () => {
        await begin(service({ endpoints: [at('a')] }));
        expect(await lab.client.tcp('10.96.0.10', 80)).toBe(`a ${gateway.v4}`);
      });

      it('let a pod reach itself', async () => {
        await begin(service({ endpoints: [at('a')] }));
        expect(await lab.pods.a.tcp('10.96.0.10', 80)).toBe(`a ${gateway.v4}`);
      });

      it('carry UDP, and two protocols on one port', async () => {
        const udp = service({ key: 'default/dns:udp', protocol: 'UDP', port: 53, endpoints: [at('a')] });
        await begin(udp, service({ key: 'default/dns:tcp', port: 53, endpoints: [at('b')] }));
        expect(await lab.pods.c.udp('10.96.0.10', 53)).toBe(`a ${pods.c.v4}`);
        expect(await lab.pods.c.tcp('10.96.0.10', 53)).toBe(`b ${pods.c.v4}`);
      });

      it('stop to answer when the service goes, and others stay', async () => {
        await begin(service({ endpoints: [at('a')] }), service({ key: 'default/other:', clusterIPs: ['10.96.0.11'], endpoints: [at('b')] }));
        await proxy.apply({ upsert: [], remove: ['default/web:http'] }, signal);
        await expect(lab.pods.c.tcp('10.96.0.10', 80, NONE)).rejects.toThrow();
        expect(await lab.pods.c.tcp('10.96.0.11', 80)).toMatch(/^b /);
      });

      it('with internalTrafficPolicy Local use endpoints of this node only, and drop where none is', async () => {
        const local = service({ internalTrafficPolicy: 'Local', endpoints: [at('a'), elsewhere('b')] });
        await begin(local);
        expect(await answering(() => lab.pods.c.tcp('10.96.0.10', 80), 20)).toEqual([`a ${pods.c.v4}`]);
        await apply({ ...local, endpoints: [elsewhere('b')] });
        await dropped(lab.pods.c.tcp('10.96.0.10', 80, NONE));
      });

      it('work with IPv6', async () => {
        await begin(service({ clusterIPs: ['fd00:10:96::10'], endpoints: [at6('a'), at6('b')] }));
        expect(await answering(() => lab.pods.c.tcp('fd00:10:96::10', 80), 30)).toEqual([`a ${pods.c.v6}`, `b ${pods.c.v6}`]);
        await apply(service({ clusterIPs: ['fd00:10:96::10'] }));
        await refused(lab.pods.c.tcp('fd00:10:96::10', 80));
      });
    });

    describe('ways in from outside', () => {
      it('a node port answers on every address of the node, to everybody', async () => {
        await begin(service({ nodePort: 30080, endpoints: [at('a')] }));
        expect(await lab.client.tcp(nodeAddress.v4, 30080)).toBe(`a ${gateway.v4}`);
        expect(await lab.node.tcp(nodeAddress.v4, 30080)).toBe(`a ${gateway.v4}`);
        expect(await lab.pods.b.tcp(gateway.v4, 30080)).toBe(`a ${gateway.v4}`);
      });

      it.runIf(options.localhostNodePorts ?? true)('a node port answers on localhost', async () => {
        await begin(service({ nodePort: 30080, endpoints: [at('a')] }));
        expect(await lab.node.tcp('127.0.0.1', 30080)).toBe(`a ${gateway.v4}`);
      });

      it('a node port works with IPv6 and UDP', async () => {
        await begin(
          service({ clusterIPs: ['fd00:10:96::10'], nodePort: 30080, endpoints: [at6('a')] }),
          service({ key: 'default/u:', protocol: 'UDP', nodePort: 30081, endpoints: [at('b')] }),
        );
        expect(await lab.client.tcp(nodeAddress.v6, 30080)).toBe(`a ${gateway.v6}`);
        expect(await lab.client.udp(nodeAddress.v4, 30081)).toBe(`b ${gateway.v4}`);
      });

      it('externalTrafficPolicy Local keeps the address of the client, and drops where no endpoint is', async () => {
        const local = service({ nodePort: 30080, externalIPs: ['172.31.0.50'], externalTrafficPolicy: 'Local', endpoints: [at('a'), elsewhere('b')] });
        await begin(local);
        expect(await answering(() => lab.client.tcp(nodeAddress.v4, 30080), 15)).toEqual([`a ${clientAddress.v4}`]);
        expect(await lab.client.tcp('172.31.0.50', 80)).toBe(`a ${clientAddress.v4}`);
        await apply({ ...local, endpoints: [elsewhere('b')] });
        await dropped(lab.client.tcp(nodeAddress.v4, 30080, NONE));
        await dropped(lab.client.tcp('172.31.0.50', 80, NONE));
        // The cluster itself may go anywhere.
        expect(await lab.node.tcp(nodeAddress.v4, 30080)).toMatch(/^b /);
        expect(await lab.pods.c.tcp(gateway.v4, 30080)).toMatch(/^b /);
      });

      it('external and load balancer addresses, with source ranges for the latter', async () => {
        const lb = service({
          externalIPs: ['172.31.0.50'],
          loadBalancerIPs: ['172.31.0.60'],
          loadBalancerSourceRanges: ['198.51.100.0/24', `${clientAddress.v4}/32`],
          endpoints: [at('a')],
        });
        await begin(lb);
        expect(await lab.client.tcp('172.31.0.50', 80)).toMatch(/^a /);
        expect(await lab.client.tcp('172.31.0.60', 80)).toMatch(/^a /);
        await apply({ ...lb, loadBalancerSourceRanges: ['198.51.100.0/24'] });
        await dropped(lab.client.tcp('172.31.0.60', 80, NONE));
        expect(await lab.client.tcp('172.31.0.50', 80)).toMatch(/^a /);
        await apply({ ...lb, loadBalancerSourceRanges: [] });
        expect(await lab.client.tcp('172.31.0.60', 80)).toMatch(/^a /);
      });

      it('two services that claim one external address: the other one has it when the first goes', async () => {
        const claim = (key: string, pod: LabPod) => service({ key, clusterIPs: [], externalIPs: ['172.31.0.50'], endpoints: [at(pod)] });
        await begin(claim('default/x:', 'a'), claim('default/y:', 'b'));
        const [holder] = (await lab.client.tcp('172.31.0.50', 80)).split(' ');
        await proxy.apply({ upsert: [], remove: [holder === 'a' ? 'default/x:' : 'default/y:'] }, signal);
        expect(await lab.client.tcp('172.31.0.50', 80)).toMatch(holder === 'a' ? /^b / : /^a /);
      });
    });

    describe('session affinity', () => {
      it('keeps a client with one endpoint, and lets it go when that ends', async () => {
        const sticky = service({ sessionAffinitySeconds: 60, endpoints: [at('a'), at('b')] });
        await begin(sticky);
        const first = await lab.pods.c.tcp('10.96.0.10', 80);
        expect(await answering(() => lab.pods.c.tcp('10.96.0.10', 80), 20)).toEqual([first]);
        await apply({ ...sticky, endpoints: [first.startsWith('a') ? at('b') : at('a')] });
        expect(await lab.pods.c.tcp('10.96.0.10', 80)).not.toBe(first);
      });

      it('ends by its timeout, which may change', async () => {
        const sticky = service({ sessionAffinitySeconds: 3600, endpoints: [at('a'), at('b')] });
        await begin(sticky);
        await lab.pods.c.tcp('10.96.0.10', 80);
        await apply({ ...sticky, sessionAffinitySeconds: 1 });
        const first = await lab.pods.c.tcp('10.96.0.10', 80);
        // The kernel's timer is what is tested, and can only be waited for. Each try has an even chance: none of 20 is one in a million.
        let moved = false;
        for (let i = 0; i < 20 && !moved; i++) {
          await new Promise((resolve) => setTimeout(resolve, 1300));
          moved = (await lab.pods.c.tcp('10.96.0.10', 80)) !== first;
        }
        expect(moved).toBe(true);
      });
    });

    describe('endpoints', () => {
      it('without any, a connection is refused at once, inside and outside', async () => {
        await begin(service({ nodePort: 30080, externalIPs: ['172.31.0.50'] }));
        await refused(lab.node.tcp('10.96.0.10', 80));
        await refused(lab.pods.c.tcp('10.96.0.10', 80));
        await refused(lab.client.tcp(nodeAddress.v4, 30080));
        await refused(lab.client.tcp('172.31.0.50', 80));
        await apply(service({ nodePort: 30080, endpoints: [at('b')] }));
        expect(await lab.pods.c.tcp('10.96.0.10', 80)).toMatch(/^b /);
        expect(await lab.client.tcp(nodeAddress.v4, 30080)).toMatch(/^b /);
      });

      it('that end but serve are used while no other is ready', async () => {
        await begin(service({ endpoints: [ending('a'), at('b')] }));
        expect(await answering(() => lab.pods.c.tcp('10.96.0.10', 80), 20)).toEqual([`b ${pods.c.v4}`]);
        await apply(service({ endpoints: [ending('a'), at('b', { ready: false, serving: false })] }));
        expect(await answering(() => lab.pods.c.tcp('10.96.0.10', 80), 10)).toEqual([`a ${pods.c.v4}`]);
        await apply(service({ endpoints: [at('a', { ready: false, serving: false, terminating: true })] }));
        await refused(lab.pods.c.tcp('10.96.0.10', 80));
      });

      it('that end but serve on this node are used for Local while no other is ready here', async () => {
        await begin(service({ nodePort: 30080, externalTrafficPolicy: 'Local', endpoints: [ending('a'), elsewhere('b')] }));
        expect(await answering(() => lab.client.tcp(nodeAddress.v4, 30080), 10)).toEqual([`a ${clientAddress.v4}`]);
      });

      it('that go do not keep UDP clients', async () => {
        const dns = service({ protocol: 'UDP', port: 53, nodePort: 30053, endpoints: [at('a')] });
        await begin(dns);
        const flow = { localPort: 5555 };
        expect(await lab.pods.c.udp('10.96.0.10', 53, flow)).toMatch(/^a /);
        expect(await lab.client.udp(nodeAddress.v4, 30053, flow)).toMatch(/^a /);
        await apply({ ...dns, endpoints: [at('b')] });
        // The same source port: the same flow, unless it was forgotten.
        expect(await lab.pods.c.udp('10.96.0.10', 53, flow)).toMatch(/^b /);
        expect(await lab.client.udp(nodeAddress.v4, 30053, flow)).toMatch(/^b /);
      });

      it('that come serve UDP clients who asked before there were any', async () => {
        const dns = service({ protocol: 'UDP', port: 53 });
        await begin(dns);
        const flow = { localPort: 5556, timeoutMs: 400 };
        await expect(lab.pods.c.udp('10.96.0.10', 53, flow)).rejects.toThrow();
        await apply({ ...dns, endpoints: [at('b')] });
        expect(await lab.pods.c.udp('10.96.0.10', 53, flow)).toMatch(/^b /);
      });
    });

    describe('life', () => {
      it('no connection is lost while endpoints change and while the proxy is replaced', async () => {
        await begin(service({ endpoints: [at('a')] }));
        let stop = false;
        const failures: unknown[] = [];
        let answered = 0;
        const load = (async () => {
          while (!stop)
            await lab.pods.c.tcp('10.96.0.10', 80).then(
              () => answered++,
              (error) => failures.push(error),
            );
        })();
        const rounds: ServiceEndpoint[][] = [[at('a'), at('b')], [at('b')], [ending('a')], [at('a')], [ending('a'), at('b')]];
        for (let i = 0; i < 20; i++) await apply(service({ endpoints: rounds[i % rounds.length] ?? [] }));
        for (let i = 0; i < 3; i++) await begin(service({ endpoints: [at('a')] }));
        stop = true;
        await load;
        expect(failures).toEqual([]);
        expect(answered).toBeGreaterThan(20);
      });

      it('start replaces what an earlier run left', async () => {
        const other = service({ key: 'default/new:', clusterIPs: ['10.96.0.11'], endpoints: [at('b')] });
        await begin(other);
        const fresh = await options.rules(lab.node.path);
        await proxy.cleanup();
        await begin(service({ nodePort: 30080, sessionAffinitySeconds: 10, endpoints: [at('a'), at('c')] }));
        await begin(other);
        expect(await options.rules(lab.node.path)).toBe(fresh);
        expect(await lab.pods.c.tcp('10.96.0.11', 80)).toMatch(/^b /);
        await expect(lab.pods.c.tcp('10.96.0.10', 80, NONE)).rejects.toThrow();
      });

      it('the same change twice is one', async () => {
        await begin(service({ endpoints: [at('a')] }));
        const changed = service({ nodePort: 30080, sessionAffinitySeconds: 60, endpoints: [at('a'), at('b')] });
        await apply(changed);
        const once = await options.rules(lab.node.path);
        await apply(changed);
        await proxy.apply({ upsert: [], remove: ['default/unknown:'] }, signal);
        expect(await options.rules(lab.node.path)).toBe(once);
      });

      it('a change that is taken back leaves nothing of it', async () => {
        const plain = service({ endpoints: [at('a')] });
        await begin(plain);
        const before = await options.rules(lab.node.path);
        await apply(
          service({
            nodePort: 30080,
            externalIPs: ['172.31.0.50'],
            loadBalancerIPs: ['172.31.0.60'],
            loadBalancerSourceRanges: ['198.51.100.0/24'],
            externalTrafficPolicy: 'Local',
            internalTrafficPolicy: 'Local',
            sessionAffinitySeconds: 60,
            endpoints: [at('a'), at('b')],
          }),
          service({ key: 'default/other:', clusterIPs: ['10.96.0.11'], endpoints: [at('b')] }),
        );
        await proxy.apply({ upsert: [plain], remove: ['default/other:'] }, signal);
        expect(await options.rules(lab.node.path)).toBe(before);
      });

      it('cleanup leaves nothing, also of an earlier run, and harms nobody else', async () => {
        const clean = await options.rules(lab.node.path);
        const other = create('B');
        await other.start([service({ key: 'default/other:', clusterIPs: ['10.97.0.11'], nodePort: 30081, endpoints: [at('b')] })], signal);
        const others = await options.rules(lab.node.path);
        await begin(service({ nodePort: 30080, externalIPs: ['172.31.0.50'], sessionAffinitySeconds: 60, endpoints: [at('a')] }));
        await create().cleanup();
        expect(await options.rules(lab.node.path)).toBe(others);
        expect(await lab.pods.c.tcp('10.97.0.11', 80)).toMatch(/^b /);
        await other.cleanup();
        await other.cleanup();
        expect(await options.rules(lab.node.path)).toBe(clean);
      });

      it('two proxies live side by side on one node', async () => {
        const other = create('B');
        await begin(service({ nodePort: 30080, endpoints: [at('a')] }));
        await other.start([service({ clusterIPs: ['10.97.0.10'], nodePort: 30081, endpoints: [at('b')] })], signal);
        await apply(service({ nodePort: 30080, endpoints: [at('c')] }));
        expect(await lab.pods.a.tcp('10.96.0.10', 80)).toMatch(/^c /);
        expect(await lab.pods.a.tcp('10.97.0.10', 80)).toMatch(/^b /);
        expect(await lab.client.tcp(nodeAddress.v4, 30080)).toBe(`c ${gateway.v4}`);
        expect(await lab.client.tcp(nodeAddress.v4, 30081)).toBe(`b ${gateway.v4}`);
      });
    });
  });
}
