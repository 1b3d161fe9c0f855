import { eventually } from '../cluster-fixture.js';
import type { Json } from './api-access.js';
import { type Check, condition, same, truly } from './check.js';

/** What is not in the conformance list, but every cluster has: autoscaling, certificates, storage that waits, quotas, mopping up. */
export const checks: Check[] = [
  {
    name: 'ResourceQuota counts pods, refuses what exceeds it, gives back',
    async run(c) {
      await c.api.post(`${c.core}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard: { pods: '1', 'requests.cpu': '100m', configmaps: '2' } } });
      await c.until(`${c.core}/resourcequotas/q`, 'the count', (q) => q.status?.used?.configmaps === '1');
      await c.pod('p', { container: { resources: { requests: { cpu: '60m' } } } });
      await c.until(`${c.core}/resourcequotas/q`, 'usage', (q) => q.status.used.pods === '1' && q.status.used['requests.cpu'] === '60m');
      const refused = await c.api.raw('POST', `${c.core}/pods`, {
        metadata: { name: 'r' },
        spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '60m' } } }] },
      });
      same([refused.code, refused.body.reason], [403, 'Forbidden'], 'a second pod');
      truly(/exceeded quota: q/.test(refused.body.message), refused.body.message);
      await c.api.delete(`${c.core}/pods/p`);
      await c.until(`${c.core}/resourcequotas/q`, 'release', (q) => q.status.used.pods === '0' && q.status.used['requests.cpu'] === '0');
    },
  },
  {
    name: 'HorizontalPodAutoscaler API, and a target without metrics says so',
    async run(c) {
      const at = `/apis/autoscaling/v2/namespaces/${c.ns}/horizontalpodautoscalers`;
      const labels = { app: 'h' };
      await c.api.post(`${c.apps}/deployments`, {
        metadata: { name: 'd' },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              containers: [{ name: 'c', image: 'coxswain.local/guestbook:1', command: ['sleep', '1000'], resources: { requests: { cpu: '10m' } } }],
              terminationGracePeriodSeconds: 0,
            },
          },
        },
      });
      await c.kubectl('autoscale', 'deployment', 'd', '--min=2', '--max=3', '--cpu=50%');
      await c.until(`${c.apps}/deployments/d`, 'minReplicas', (d) => d.spec.replicas === 2);
      const hpa = await c.until(`${at}/d`, 'conditions', (h) => condition(h, 'AbleToScale')?.status === 'True');
      same(hpa.spec.metrics[0].resource.target.averageUtilization, 50, 'target');
      same((await c.api.get(`/apis/autoscaling/v1/namespaces/${c.ns}/horizontalpodautoscalers/d`)).spec.targetCPUUtilizationPercentage, 50, 'as v1');
    },
  },
  {
    name: 'CertificateSigningRequest is approved and signed',
    async run(c) {
      const { execFileSync } = await import('node:child_process');
      const options = [
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        '/dev/null',
        '-subj',
        '/O=developers/CN=jane',
      ];
      const request = execFileSync('openssl', options, { stdio: ['ignore', 'pipe', 'ignore'] }).toString('base64');
      const at = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
      const name = c.ns;
      c.onEnd(() => c.api.raw('DELETE', `${at}/${name}`));
      await c.api.post(at, {
        metadata: { name },
        spec: { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], expirationSeconds: 3600 },
      });
      await c.kubectl('certificate', 'approve', name);
      const signed = await c.until(`${at}/${name}`, 'the certificate', (r) => r.status?.certificate);
      const text = execFileSync('openssl', ['x509', '-noout', '-subject'], { input: Buffer.from(signed.status.certificate, 'base64') }).toString();
      truly(/O = developers, CN = jane|CN = jane/.test(text), text);
    },
  },
  {
    name: 'PersistentVolumeClaims: WaitForFirstConsumer waits for the pod and binds to the node it got',
    async run(c) {
      const cls = c.ns;
      const root = '/api/v1/persistentvolumes';
      c.onEnd(() => c.api.raw('DELETE', `/apis/storage.k8s.io/v1/storageclasses/${cls}`));
      c.onEnd(() => c.api.raw('DELETE', `${root}/${cls}`));
      await c.api.post('/apis/storage.k8s.io/v1/storageclasses', {
        metadata: { name: cls },
        provisioner: 'kubernetes.io/no-provisioner',
        volumeBindingMode: 'WaitForFirstConsumer',
      });
      const node = await c.node;
      const { mkdirSync, rmSync } = await import('node:fs');
      const path = `/tmp/conf-pv-${c.ns}`;
      mkdirSync(path);
      c.onEnd(async () => rmSync(path, { recursive: true, force: true }));
      await c.api.post(root, {
        metadata: { name: cls },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: cls,
          persistentVolumeReclaimPolicy: 'Retain',
          local: { path },
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }] } },
        },
      });
      await c.api.post(`${c.core}/persistentvolumeclaims`, {
        metadata: { name: 'claim' },
        spec: { accessModes: ['ReadWriteOnce'], storageClassName: cls, resources: { requests: { storage: '1Gi' } } },
      });
      await eventually('the event', async () => {
        const events = (await c.api.get(`${c.core}/events`)).items;
        truly(
          events.some((e: Json) => e.reason === 'WaitForFirstConsumer'),
          'no event',
        );
      });
      await c.pod('user', {
        command: 'echo kept > /data/file; sleep 1000',
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'claim' } }],
        container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      });
      await c.running('user');
      same((await c.api.get(`${c.core}/persistentvolumeclaims/claim`)).status.phase, 'Bound', 'phase');
      await c.api.delete(`${c.core}/persistentvolumeclaims/claim`);
      truly((await c.api.get(`${c.core}/persistentvolumeclaims/claim`)).metadata.deletionTimestamp, 'protected while in use');
      await c.api.delete(`${c.core}/pods/user`);
      await c.gone(`${c.core}/persistentvolumeclaims/claim`);
      await c.until(`${root}/${cls}`, 'release', (v) => v.status.phase === 'Released');
    },
  },
  {
    name: 'Nodes have the ttl annotation',
    async run(c) {
      await c.until(`/api/v1/nodes/${await c.node}`, 'the annotation', (n) => n.metadata.annotations['node.alpha.kubernetes.io/ttl'] === '0');
    },
  },
  {
    name: 'Garbage collector: orphan, background and foreground',
    async run(c) {
      const set = (name: string) =>
        c.api.post(`${c.core}/replicationcontrollers`, {
          metadata: { name },
          spec: {
            replicas: 2,
            selector: { name },
            template: {
              metadata: { labels: { name } },
              spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'coxswain.local/guestbook:1', command: ['sleep', '1000'] }] },
            },
          },
        });
      await Promise.all(['orphan', 'background', 'foreground'].map(set));
      const count = async (name: string) => (await c.pods(`name=${name}`)).length;
      for (const n of ['orphan', 'background', 'foreground']) await eventually(`pods of ${n}`, async () => same(await count(n), 2, n));
      await c.api.delete(`${c.core}/replicationcontrollers/orphan`, { propagationPolicy: 'Orphan' });
      await c.gone(`${c.core}/replicationcontrollers/orphan`);
      await c.api.delete(`${c.core}/replicationcontrollers/background`, { propagationPolicy: 'Background' });
      await c.api.delete(`${c.core}/replicationcontrollers/foreground`, { propagationPolicy: 'Foreground' });
      await c.gone(`${c.core}/replicationcontrollers/foreground`);
      same(await count('foreground'), 0, 'pods left of foreground');
      await eventually('background pods to go', async () => same(await count('background'), 0, 'left'));
      same(await count('orphan'), 2, 'orphans');
      truly(
        (await c.pods('name=orphan')).every((p) => !p.metadata.ownerReferences?.length),
        'orphans without owner',
      );
    },
  },
];
