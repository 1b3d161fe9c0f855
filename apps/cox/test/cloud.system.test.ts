import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { tracesOf } from '@coxswain/cluster';
import { loopDevicesOf } from '@coxswain/linux';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, eventually } from './cluster-fixture.js';

// Slow: boots a whole cluster. Its cloud is this machine: load balancers that answer, volumes that keep what is written.
const cluster = new ClusterFixture('t-cloud');

const app = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: { fsGroup: 2000 }
      containers:
        - name: db
          image: coxswain.local/guestbook:1
          command: [sh, -c, 'echo started >> /data/log; exec httpd -f -p 8080 -h /data']
          volumeMounts:
            - { name: data, mountPath: /data }
            - { name: data, mountPath: /sub, subPath: deep/down }
            - { name: scratch, mountPath: /scratch }
      volumes:
        - name: scratch
          ephemeral: { volumeClaimTemplate: { spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 16Mi } } } } }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 32Mi } } }
---
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { type: LoadBalancer, selector: { app: db }, ports: [{ port: 80, targetPort: 8080 }] }
`;

beforeAll(async () => {
  await cluster.up('--load-balancer-pool', '10.213.77.8-10.213.77.9');
  await cluster.loadGuestbook();
  await cluster.apply(app);
  await cluster.kubectl('rollout', 'status', 'statefulset/db', '--timeout=90s');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const field = async (path: string, ...what: string[]) => (await cluster.kubectl('get', ...what, '-o', `jsonpath={${path}}`)).trim();
const inPod = (line: string) => cluster.kubectl('exec', 'db-0', '--', 'sh', '-c', line);

test('the node is initialised: provider id, instance type, no taint left', async () => {
  const node = await cluster.json<{ spec: { providerID?: string; taints?: unknown[] }; metadata: { labels: Record<string, string> } }>(
    'node',
    cluster.config.nodeName,
  );
  expect(node.spec.providerID).toBe(`local://${cluster.config.nodeName}`);
  expect(node.spec.taints).toBeUndefined();
  expect(node.metadata.labels['node.kubernetes.io/instance-type']).toBe('host');
});

test('a Service of type LoadBalancer answers from the host; when the pool is empty an event says so; what is freed is used again', async () => {
  const answer = async () => (await fetch(`http://${await field('.status.loadBalancer.ingress[0].ip', 'service', 'db')}/log`)).text();
  expect(await eventually('the load balancer answers', answer)).toBe('started\n');
  const more = (name: string) =>
    cluster.apply(
      `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {type: LoadBalancer, selector: {app: db}, ports: [{port: 81, targetPort: 8080}]}}`,
    );
  await more('second');
  await eventually('the second has the last address', async () =>
    expect(await field('.status.loadBalancer.ingress[0].ip', 'service', 'second')).toMatch(/^10\.213\.77\.[89]$/),
  );
  await more('third');
  await eventually('the third is refused', async () =>
    expect(await cluster.kubectl('describe', 'service', 'third')).toMatch(
      /Warning +SyncLoadBalancerFailed .*Error syncing load balancer: failed to ensure load balancer: no free address: all 2 of pool/,
    ),
  );
  await cluster.kubectl('delete', 'service', 'second');
  await eventually(
    'the third gets it',
    async () => expect(await field('.status.loadBalancer.ingress[0].ip', 'service', 'third')).toMatch(/^10\.213\.77\.[89]$/),
    60_000,
  );
  await cluster.kubectl('delete', 'service', 'third');
  expect(readdirSync(join(cluster.config.paths.cloud, 'load-balancers'))).toHaveLength(1);
});

test("a StatefulSet's pod that is made again finds its data; volumes have the size, group and folders asked for", async () => {
  expect(await inPod('echo kept > /sub/file; stat -c %g /data; df -m /data | tail -1')).toMatch(/^2000\n\/dev\/loop\d+ +(2\d|3[0-2]) /);
  await cluster.kubectl('delete', 'pod', 'db-0');
  await cluster.kubectl('rollout', 'status', 'statefulset/db', '--timeout=90s');
  await eventually('the new pod runs', async () =>
    expect(await inPod('cat /data/log /data/deep/down/file; ls /scratch')).toBe('started\nstarted\nkept\nlost+found\n'),
  );
});

test('a claim grows while it is used', async () => {
  await cluster.kubectl('patch', 'pvc', 'data-db-0', '-p', '{"spec":{"resources":{"requests":{"storage":"64Mi"}}}}');
  await eventually('the volume is larger', async () =>
    expect(await field('.spec.capacity.storage', 'pv', await field('.spec.volumeName', 'pvc', 'data-db-0'))).toBe('64Mi'),
  );
  await cluster.kubectl('delete', 'pod', 'db-0');
  await cluster.kubectl('rollout', 'status', 'statefulset/db', '--timeout=90s');
  await eventually('so is its file system', async () => {
    expect(await field('.status.capacity.storage', 'pvc', 'data-db-0')).toBe('64Mi');
    expect(await inPod('df -m /data | tail -1')).toMatch(/loop\d+ +(5\d|6[0-4]) /);
  });
});

test('a block volume is a device; what no disk can be is refused with an event', async () => {
  await cluster.apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: raw }
spec: { accessModes: [ReadWriteOncePod], volumeMode: Block, resources: { requests: { storage: 8Mi } } }
---
apiVersion: v1
kind: Pod
metadata: { name: raw }
spec:
  restartPolicy: Never
  containers:
    - name: c
      image: coxswain.local/guestbook:1
      command: [sh, -c, 'echo hello | dd of=/dev/xvda conv=notrunc 2>/dev/null; dd if=/dev/xvda bs=6 count=1 2>/dev/null']
      volumeDevices: [{ name: raw, devicePath: /dev/xvda }]
  volumes: [{ name: raw, persistentVolumeClaim: { claimName: raw } }]
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: now }
provisioner: local.csi.coxswain.dev
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: shared }
spec: { accessModes: [ReadWriteMany], storageClassName: now, resources: { requests: { storage: 8Mi } } }
`);
  await eventually('the pod is done', async () => expect(await field('.status.phase', 'pod', 'raw')).toBe('Succeeded'), 60_000);
  expect(await cluster.kubectl('logs', 'raw')).toBe('hello\n');
  await eventually('the event', async () =>
    expect(await cluster.kubectl('describe', 'pvc', 'shared')).toMatch(/ProvisioningFailed .*MULTI_NODE_MULTI_WRITER is not supported/),
  );
});

test('what is deleted is gone: claims, volumes, attachments, disks; and down leaves no trace', async () => {
  await cluster.kubectl('delete', 'statefulset,pod,pvc,service', '--all', '--wait=true', '--timeout=60s');
  await eventually('nothing is left', async () => {
    expect(await cluster.kubectl('get', 'pv,volumeattachments', '-o', 'name')).toBe('');
    expect(readdirSync(join(cluster.config.paths.cloud, 'volumes'))).toEqual([]);
    expect(await loopDevicesOf(cluster.config.paths.state)).toEqual([]);
  });
  const { config } = cluster;
  await cluster.mustCox('down', '--name', cluster.name);
  expect(await tracesOf(config)).toEqual([]);
});
