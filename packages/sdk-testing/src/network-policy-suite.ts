import type { Namespace, NetworkPolicy, NetworkPolicySpec, Pod } from '@coxswain/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from './net-lab/lab-host.js';
import { type LabPod, labAddresses, NetLab, type NetLabOptions } from './net-lab/net-lab.js';

/** An object as it is now; without `object`: it is gone. */
export type NetworkPolicySuiteEvent =
  | { readonly type: 'pod'; readonly key: string; readonly object?: Pod }
  | { readonly type: 'namespace'; readonly key: string; readonly object?: Namespace }
  | { readonly type: 'policy'; readonly key: string; readonly object?: NetworkPolicy };

/** What enforces policies on one node. */
export interface NetworkPolicyEnforcer {
  /** Everything there is; replaces what an earlier run left. Resolves when it is in force. */
  start(objects: readonly NetworkPolicySuiteEvent[], signal: AbortSignal): Promise<void>;
  apply(events: readonly NetworkPolicySuiteEvent[], signal: AbortSignal): Promise<void>;
  cleanup(): Promise<void>;
}

export interface NetworkPolicySuiteOptions {
  readonly name: string;
  /** A new enforcer, as a new process would make it. Pods of the node have its name in `spec.nodeName`. */
  create(context: { readonly hostNetns: string; readonly nodeName: string }): NetworkPolicyEnforcer;
  /** Everything an enforcer may have left in a namespace, as text, without counters. */
  rules(hostNetns: string): Promise<string>;
  readonly bridge?: NetLabOptions['bridge'];
}

const { pods: addresses, client: clientAddress, node: nodeAddress, gateway } = labAddresses;
const signal = new AbortController().signal;
const NODE = 'node';

/** shop/a is a web server, shop/b its front end, other/c a stranger. All serve on 8080, 8081 and 9090. */
const home: Readonly<Record<LabPod, { namespace: string; labels: Record<string, string> }>> = {
  a: { namespace: 'shop', labels: { app: 'web' } },
  b: { namespace: 'shop', labels: { app: 'front' } },
  c: { namespace: 'other', labels: { app: 'front' } },
};

const pod = (name: LabPod, more: { labels?: Record<string, string>; spec?: Record<string, unknown>; status?: Record<string, unknown> } = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: home[name].namespace, labels: more.labels ?? home[name].labels, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      nodeName: NODE,
      containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] }],
      ...more.spec,
    },
    status: { phase: 'Running', podIP: addresses[name].v4, podIPs: [{ ip: addresses[name].v4 }, { ip: addresses[name].v6 }], ...more.status },
  }) as Pod;
const podEvent = (name: LabPod, more?: Parameters<typeof pod>[1]): NetworkPolicySuiteEvent => ({
  type: 'pod',
  key: `${home[name].namespace}/${name}`,
  object: pod(name, more),
});
const namespaceEvent = (name: string, labels: Record<string, string> = {}): NetworkPolicySuiteEvent => ({
  type: 'namespace',
  key: name,
  object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } } } as Namespace,
});
const policyEvent = (spec: NetworkPolicySpec, name = 'p', namespace = 'shop'): NetworkPolicySuiteEvent => ({
  type: 'policy',
  key: `${namespace}/${name}`,
  object: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec } as NetworkPolicy,
});
const world: readonly NetworkPolicySuiteEvent[] = [
  namespaceEvent('shop', { team: 'red' }),
  namespaceEvent('other', { team: 'blue' }),
  podEvent('a'),
  podEvent('b'),
  podEvent('c'),
];
const web = { matchLabels: { app: 'web' } };
const front = { matchLabels: { app: 'front' } };

/**
 * What whoever enforces NetworkPolicy on a node must do, with real packets between pods on one bridge, a client outside and the node, all
 * of them network namespaces that the suite makes and removes. Needs root, iproute2, nftables and nsenter.
 */
export function networkPolicySuite(options: NetworkPolicySuiteOptions): void {
  describe(`network policy conformance: ${options.name}`, () => {
    let lab: NetLab;
    let enforcer: NetworkPolicyEnforcer;
    const create = () => options.create({ hostNetns: lab.node.path, nodeName: NODE });
    const begin = async (...specs: (NetworkPolicySpec | NetworkPolicySuiteEvent)[]) => {
      enforcer = create();
      const events = specs.map((spec, i) => ('type' in spec ? spec : policyEvent(spec, `p${i}`)));
      await enforcer.start([...world, ...events], signal);
    };
    const apply = (...events: NetworkPolicySuiteEvent[]) => enforcer.apply(events, signal);

    const host = (name: LabPod | 'client' | 'node') => (name === 'client' ? lab.client : name === 'node' ? lab.node : lab.pods[name]);
    /** Who of b, c, the client and the node reaches a port of a. */
    const reaching = async (port = 8080, protocol: 'tcp' | 'udp' = 'tcp', target: string = addresses.a.v4) => {
      const asked = (['b', 'c', 'client', 'node'] as const).map(async (from) =>
        host(from)
          [protocol](target, port, { timeoutMs: 700 })
          .then(
            () => [from],
            () => [],
          ),
      );
      return (await Promise.all(asked)).flat().join(' ');
    };
    const expectReach = (from: LabPod | 'client', to: string, port = 8080) => expect(host(from).tcp(to, port)).resolves.toBeTruthy();
    const expectBlocked = (from: LabPod | 'client', to: string, port = 8080) => expect(host(from).tcp(to, port, { timeoutMs: 500 })).rejects.toThrow();

    beforeAll(async () => {
      lab = await NetLab.create(options.bridge ? { bridge: options.bridge } : {});
      for (const port of [8081, 9090]) await Promise.all(lab.hosts.map((each) => each.serve(port)));
      // A Service, a node port and the client's way to pods, as whoever carries Services makes them.
      const rules = `table ip lab {
        chain pre { type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 tcp dport 80 dnat to ${addresses.a.v4}:8080; ip daddr ${nodeAddress.v4} tcp dport 30080 dnat to ${addresses.a.v4}:8080; }
        chain post { type nat hook postrouting priority srcnat; ct status dnat ip saddr ${clientAddress.v4} masquerade; ip saddr ${addresses.a.v4} ip daddr ${addresses.a.v4} masquerade; }
      }`;
      await run('nsenter', [`--net=${lab.node.path}`, 'nft', rules]);
    });
    afterEach(() => enforcer.cleanup());
    afterAll(() => lab[Symbol.asyncDispose]());

    describe('isolation', () => {
      it('there is none without policies', async () => {
        await begin();
        expect(await reaching()).toBe('b c client node');
      });

      it('default deny for ingress: only the node gets in, and answers get out', async () => {
        await begin({ podSelector: {}, policyTypes: ['Ingress'] });
        expect(await reaching()).toBe('node');
        await expectReach('a', addresses.c.v4);
        await expectReach('a', clientAddress.v4);
        // Of the namespace only.
        await expectReach('b', addresses.c.v4);
      });

      it('default deny for egress: nothing gets out, but to the node and as answers', async () => {
        await begin({ podSelector: web, policyTypes: ['Egress'] });
        await expectBlocked('a', addresses.b.v4);
        await expectBlocked('a', clientAddress.v4);
        await expectReach('a', gateway.v4);
        expect(await reaching()).toBe('b c client node');
      });

      it('an empty rule lets everything in', async () => {
        await begin({ podSelector: web, policyTypes: ['Ingress'], ingress: [{}] });
        expect(await reaching()).toBe('b c client node');
      });

      it('types that are not given: Ingress, and Egress where there are rules', async () => {
        await begin({ podSelector: web });
        expect(await reaching()).toBe('node');
        await expectReach('a', addresses.c.v4);
        await apply(policyEvent({ podSelector: web, egress: [{ to: [{ podSelector: front }] }] }, 'p0'));
        expect(await reaching()).toBe('node');
        await expectReach('a', addresses.b.v4);
        await expectBlocked('a', addresses.c.v4);
      });

      it('policies that select nothing, or pods of another namespace, do nothing here', async () => {
        await begin({ podSelector: { matchLabels: { app: 'nobody' } }, policyTypes: ['Ingress', 'Egress'] }, policyEvent({ podSelector: {} }, 'p', 'other'));
        expect(await reaching()).toBe('b c client node');
        await expectBlocked('a', addresses.c.v4);
      });

      it('several policies add up', async () => {
        const from = (peer: object) => ({ podSelector: web, policyTypes: ['Ingress'], ingress: [{ from: [peer] }] });
        await begin({ podSelector: {}, policyTypes: ['Ingress'] }, from({ podSelector: front }), from({ ipBlock: { cidr: `${clientAddress.v4}/32` } }));
        expect(await reaching()).toBe('b client node');
      });

      it('both ends must let a packet through', async () => {
        await begin(
          { podSelector: front, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: web }] }] },
          { podSelector: web, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }] }] },
        );
        expect(await reaching()).toBe('c node');
        await apply({ type: 'policy', key: 'shop/p1' });
        expect(await reaching()).toBe('b c client node');
        await expectBlocked('b', addresses.c.v4);
      });

      it('pods on the network of the host are not selected, nor isolated', async () => {
        const onHost: NetworkPolicySuiteEvent = {
          type: 'pod',
          key: 'shop/agent',
          object: pod('b', { spec: { hostNetwork: true }, status: { podIP: clientAddress.v4, podIPs: [{ ip: clientAddress.v4 }] } }),
        };
        await begin({ podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{ from: [{ podSelector: {} }] }] }, onHost);
        await expectBlocked('client', addresses.a.v4);
        await expectReach('client', addresses.c.v4);
      });

      it('pods of other nodes are isolated there, and are peers here', async () => {
        await begin(
          { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: front }] }] },
          podEvent('b', { spec: { nodeName: 'elsewhere' } }),
        );
        expect(await reaching()).toBe('b node');
        await expectReach('c', addresses.b.v4);
      });

      it('pods that have ended give up their address', async () => {
        await begin({ podSelector: web, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: front }] }] });
        expect(await reaching()).toBe('b node');
        await apply(podEvent('b', { status: { phase: 'Succeeded' } }));
        expect(await reaching()).toBe('node');
      });
    });

    describe('peers', () => {
      const ingress = (...from: object[]) => ({ podSelector: web, policyTypes: ['Ingress'], ingress: [{ from }] });

      it('by the label of a pod: of the same namespace', async () => {
        await begin(ingress({ podSelector: front }));
        expect(await reaching()).toBe('b node');
      });

      it('by the label of a namespace', async () => {
        await begin(ingress({ namespaceSelector: { matchLabels: { team: 'blue' } } }));
        expect(await reaching()).toBe('c node');
      });

      it('by both at once, and by either', async () => {
        const blue = { matchExpressions: [{ key: 'team', operator: 'In', values: ['blue', 'green'] }] };
        await begin(ingress({ namespaceSelector: blue, podSelector: { matchLabels: { app: 'web' } } }));
        expect(await reaching()).toBe('node');
        await apply(policyEvent(ingress({ namespaceSelector: blue, podSelector: front }), 'p0'));
        expect(await reaching()).toBe('c node');
        await apply(policyEvent(ingress({ namespaceSelector: blue }, { podSelector: front }), 'p0'));
        expect(await reaching()).toBe('b c node');
      });

      it('all pods of all namespaces, and nobody else', async () => {
        await begin(ingress({ namespaceSelector: {} }));
        expect(await reaching()).toBe('b c node');
      });

      it('by address, with exceptions', async () => {
        await begin(ingress({ ipBlock: { cidr: '172.31.0.0/24' } }));
        expect(await reaching()).toBe('client node');
        await apply(policyEvent(ingress({ ipBlock: { cidr: '172.31.0.0/24', except: ['172.31.0.0/30'] } }), 'p0'));
        expect(await reaching()).toBe('node');
        await apply(policyEvent(ingress({ ipBlock: { cidr: '0.0.0.0/0', except: [`${clientAddress.v4}/32`] } }), 'p0'));
        expect(await reaching()).toBe('b c node');
        // An exception counts for its own block.
        await apply(policyEvent(ingress({ ipBlock: { cidr: '0.0.0.0/0', except: ['172.31.0.0/16'] } }, { ipBlock: { cidr: `${clientAddress.v4}/32` } }), 'p0'));
        expect(await reaching()).toBe('b c client node');
      });

      it('with IPv6', async () => {
        await begin(ingress({ podSelector: front }, { ipBlock: { cidr: 'fd00:172::/32', except: [`${clientAddress.v6}/128`] } }));
        expect(await reaching(8080, 'tcp', addresses.a.v6)).toBe('b node');
        await apply(policyEvent(ingress({ ipBlock: { cidr: 'fd00:172:31::/64' } }), 'p0'));
        expect(await reaching(8080, 'tcp', addresses.a.v6)).toBe('client node');
      });
    });

    describe('ports', () => {
      const onPorts = (...ports: object[]) => ({ podSelector: web, policyTypes: ['Ingress'], ingress: [{ ports }] });

      it('by number, TCP unless said otherwise', async () => {
        await begin(onPorts({ port: 8080 }));
        expect(await reaching(8080)).toBe('b c client node');
        expect(await reaching(8081)).toBe('node');
        expect(await reaching(8080, 'udp')).toBe('node');
        await apply(policyEvent(onPorts({ port: 8080, protocol: 'UDP' }), 'p0'));
        expect(await reaching(8080, 'udp')).toBe('b c client node');
        expect(await reaching(8080)).toBe('node');
      });

      it('by range, which may overlap', async () => {
        await begin(onPorts({ port: 8080, endPort: 8085 }, { port: 8081 }, { port: 8000, endPort: 8080 }));
        expect(await reaching(8081)).toBe('b c client node');
        expect(await reaching(9090)).toBe('node');
      });

      it('all of one protocol', async () => {
        await begin(onPorts({ protocol: 'UDP' }, { protocol: 'SCTP', port: 7 }));
        expect(await reaching(9090, 'udp')).toBe('b c client node');
        expect(await reaching(9090)).toBe('node');
      });

      it('by the name the called pod gives them', async () => {
        await begin({ podSelector: web, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: front }], ports: [{ port: 'http' }] }] });
        expect(await reaching(8080)).toBe('b node');
        expect(await reaching(8081)).toBe('node');
        await apply(podEvent('a', { spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8081 }] }] } }));
        expect(await reaching(8081)).toBe('b node');
        expect(await reaching(8080)).toBe('node');
      });
    });

    describe('egress', () => {
      const egress = (...rules: object[]) => ({ podSelector: web, policyTypes: ['Egress'], egress: rules });

      it('to pods, by port and protocol', async () => {
        await begin(egress({ to: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }], ports: [{ port: 9090 }, { port: 8080, protocol: 'UDP' }] }));
        await expectReach('a', addresses.c.v4, 9090);
        await expectBlocked('a', addresses.c.v4, 8080);
        expect(await lab.pods.a.udp(addresses.c.v4, 8080)).toMatch(/^c /);
        await expectBlocked('a', addresses.b.v4, 9090);
      });

      it('to addresses, with exceptions', async () => {
        await begin(egress({ to: [{ ipBlock: { cidr: '172.31.0.0/16' } }] }));
        await expectReach('a', clientAddress.v4);
        await expectBlocked('a', addresses.b.v4);
        await apply(policyEvent(egress({ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['172.31.0.2/32'] } }] }), 'p0'));
        await expectBlocked('a', clientAddress.v4);
        await expectReach('a', addresses.b.v4);
      });

      it('to a named port, of some pods or of any', async () => {
        await begin(egress({ to: [{ podSelector: front }], ports: [{ port: 'http' }] }));
        await expectReach('a', addresses.b.v4, 8080);
        await expectBlocked('a', addresses.b.v4, 9090);
        await expectBlocked('a', addresses.c.v4, 8080);
        await apply(policyEvent(egress({ ports: [{ port: 'http' }] }), 'p0'));
        await expectReach('a', addresses.c.v4, 8080);
        await expectBlocked('a', addresses.c.v4, 9090);
      });
    });

    describe('Services', () => {
      it('are judged by the pod that is called, and by who called', async () => {
        await begin(
          { podSelector: front, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: web }], ports: [{ port: 8080 }] }] },
          { podSelector: web, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: front }] }] },
        );
        await expectReach('b', '10.96.0.10', 80);
        await expectBlocked('c', '10.96.0.10', 80);
        await apply(policyEvent({ podSelector: front, policyTypes: ['Egress'] }, 'p0'));
        await expectBlocked('b', '10.96.0.10', 80);
      });

      it('from outside are judged by the address of the client, though the pod sees the node', async () => {
        await begin({ podSelector: web, policyTypes: ['Ingress'] });
        await expectBlocked('client', nodeAddress.v4, 30080);
        await apply(policyEvent({ podSelector: web, ingress: [{ from: [{ ipBlock: { cidr: `${clientAddress.v4}/32` } }] }] }, 'p0'));
        await expectReach('client', nodeAddress.v4, 30080);
      });

      it('a pod may always reach itself', async () => {
        await begin({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
        await expectReach('a', '10.96.0.10', 80);
      });
    });

    describe('live changes', () => {
      it('a policy comes, changes and goes', async () => {
        await begin();
        await apply(policyEvent({ podSelector: {} }));
        expect(await reaching()).toBe('node');
        await apply(policyEvent({ podSelector: {}, ingress: [{ from: [{ podSelector: front }] }] }));
        expect(await reaching()).toBe('b node');
        await apply({ type: 'policy', key: 'shop/p' });
        expect(await reaching()).toBe('b c client node');
      });

      it('the labels of a pod change: it becomes isolated, and a peer', async () => {
        await begin({ podSelector: web, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }] }] });
        await apply(podEvent('b', { labels: { app: 'friend' } }));
        expect(await reaching()).toBe('b node');
        await apply(podEvent('a', { labels: { app: 'free' } }));
        expect(await reaching()).toBe('b c client node');
        await apply(podEvent('a'), podEvent('b'));
        expect(await reaching()).toBe('node');
      });

      it('the labels of a namespace change', async () => {
        await begin({ podSelector: web, ingress: [{ from: [{ namespaceSelector: { matchLabels: { trusted: 'yes' } } }] }] });
        expect(await reaching()).toBe('node');
        await apply(namespaceEvent('other', { trusted: 'yes' }));
        expect(await reaching()).toBe('c node');
        await apply(namespaceEvent('other', { trusted: 'no' }));
        expect(await reaching()).toBe('node');
      });

      it('pods come and go', async () => {
        await begin({ podSelector: {}, ingress: [{ from: [{ podSelector: front }] }] });
        await apply({ type: 'pod', key: 'shop/b' });
        expect(await reaching()).toBe('node');
        await apply(podEvent('b'));
        expect(await reaching()).toBe('b node');
        await apply({ type: 'pod', key: 'shop/a' });
        expect(await reaching()).toBe('b c client node');
      });
    });

    describe('life', () => {
      const deny: NetworkPolicySpec = { podSelector: web, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: front }] }] };

      it('being replaced opens nothing and closes nothing', async () => {
        await begin(deny);
        let stop = false;
        const wrong: string[] = [];
        let rounds = 0;
        const load = (async () => {
          while (!stop) {
            await lab.pods.b.tcp(addresses.a.v4, 8080).catch((error) => wrong.push(`b: ${error}`));
            rounds++;
          }
        })();
        const siege = (async () => {
          while (!stop)
            await lab.pods.c.tcp(addresses.a.v4, 8080, { timeoutMs: 100 }).then(
              () => wrong.push('c got in'),
              () => {},
            );
        })();
        for (let i = 0; i < 4; i++) await begin(deny);
        for (let i = 0; i < 6; i++)
          await apply(policyEvent({ podSelector: {}, ingress: [{ from: [{ podSelector: front }], ports: [{ port: 8080 + i }] }] }, 'q'));
        stop = true;
        await Promise.all([load, siege]);
        expect(wrong).toEqual([]);
        expect(rounds).toBeGreaterThan(5);
      });

      it('start forgets what is not there any more; a change taken back leaves nothing; the same again is nothing', async () => {
        await begin(deny);
        const before = await options.rules(lab.node.path);
        await apply(policyEvent({ podSelector: {}, egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 'http' }] }] }, 'q'));
        expect(await options.rules(lab.node.path)).not.toBe(before);
        await apply({ type: 'policy', key: 'shop/q' });
        expect(await options.rules(lab.node.path)).toBe(before);
        await apply(...world, policyEvent(deny, 'p0'), { type: 'policy', key: 'shop/unknown' });
        expect(await options.rules(lab.node.path)).toBe(before);
        await begin(policyEvent({ podSelector: {}, policyTypes: ['Egress'] }, 'other'));
        await begin(deny);
        expect(await options.rules(lab.node.path)).toBe(before);
      });

      it('cleanup leaves nothing, also of an earlier run', async () => {
        enforcer = create();
        await enforcer.cleanup();
        const clean = await options.rules(lab.node.path);
        await begin(deny);
        await create().cleanup();
        expect(await options.rules(lab.node.path)).toBe(clean);
        await enforcer.cleanup();
        expect(await reaching()).toBe('b c client node');
      });
    });
  });
}
