import { eventually } from '../cluster-fixture.js';
import type { Json } from './api-access.js';
import { type Check, type CheckContext, condition, IMAGE, OTHER_IMAGE, podSpec, same, template, truly, WEB } from './check.js';

const selector = (labels: Json) => ({ matchLabels: labels });

async function deployment(c: CheckContext, name: string, spec: Json = {}, pod: Json = {}): Promise<Json> {
  const labels = { app: name };
  return c.api.post(`${c.apps}/deployments`, {
    metadata: { name, labels },
    spec: { replicas: 1, selector: selector(labels), template: template(labels, pod), ...spec },
  });
}

const rolledOut = (c: CheckContext, name: string, replicas: number) =>
  c.until(
    `${c.apps}/deployments/${name}`,
    `rollout of ${name}`,
    (d) =>
      d.status.observedGeneration >= d.metadata.generation &&
      d.status.updatedReplicas === replicas &&
      d.status.replicas === replicas &&
      d.status.availableReplicas === replicas,
    60_000,
  );

/** get, update and patch of /scale. */
async function scaleWorks(c: CheckContext, path: string, from: number): Promise<void> {
  const scale = await c.api.get(`${path}/scale`);
  same([scale.kind, scale.apiVersion, scale.spec.replicas], ['Scale', 'autoscaling/v1', from], 'scale as read');
  scale.spec.replicas = from + 1;
  scale.metadata.resourceVersion = '';
  const updated = await c.api.put(`${path}/scale`, scale);
  same(updated.spec.replicas, from + 1, 'scale as updated');
  same((await c.api.get(path)).spec.replicas, from + 1, 'spec.replicas after the update');
  const patched = await c.api.patch(`${path}/scale`, 'merge', { spec: { replicas: from + 3 } });
  same(patched.spec.replicas, from + 3, 'scale as patched');
  same((await c.api.get(path)).spec.replicas, from + 3, 'spec.replicas after the patch');
  await c.until(path, 'the pods', (o) => o.status.replicas === from + 3);
}

/** Status subresource: get, update and patch, seen by reads and by a watch. */
async function statusWorks(c: CheckContext, collection: string, name: string): Promise<void> {
  const path = `${collection}/${name}`;
  using watch = c.api.watch(collection, `fieldSelector=metadata.name%3D${name}`);
  const read = await c.api.get(`${path}/status`);
  same(read.metadata.name, name, 'status as read');
  await c.api.change(
    path,
    (o) => {
      o.status.conditions = [...(o.status.conditions ?? []), { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from e2e test' }];
    },
    '/status',
  );
  await watch.until('the updated status', (e) => condition(e.object, 'StatusUpdate')?.reason === 'E2E');
  await c.api.patch(`${path}/status`, 'merge', { status: { conditions: [{ type: 'StatusPatched', status: 'True' }] } });
  await watch.until('the patched status', (e) => condition(e.object, 'StatusPatched')?.status === 'True');
  // No controller throws away a condition it does not know.
  await c.api.patch(path, 'merge', { metadata: { labels: { touched: 'yes' } } });
  await new Promise((resolve) => setTimeout(resolve, 300));
  same(condition(await c.api.get(path), 'StatusPatched')?.status, 'True', 'the condition later');
}

/** list by label across namespaces, then deletecollection by label. */
async function collectionWorks(c: CheckContext, collection: string, everywhere: string, label: string): Promise<void> {
  const query = `?labelSelector=${encodeURIComponent(label)}`;
  truly((await c.api.get(everywhere + query)).items.length > 0, 'nothing found by label');
  await c.api.delete(collection + query, { propagationPolicy: 'Background' });
  await eventually('the collection to be empty', async () => same((await c.api.get(collection + query)).items.length, 0, 'left'));
}

export const checks: Check[] = [
  {
    name: 'Deployment should have a working scale subresource',
    async run(c) {
      await deployment(c, 'd');
      await rolledOut(c, 'd', 1);
      await scaleWorks(c, `${c.apps}/deployments/d`, 1);
    },
  },
  {
    name: 'Deployment RecreateDeployment should delete old pods and create new ones',
    async run(c) {
      await deployment(c, 'd', { strategy: { type: 'Recreate' }, replicas: 2 });
      await rolledOut(c, 'd', 2);
      const before = (await c.pods('app=d')).map((p) => p.metadata.name);
      using watch = c.api.watch(`${c.core}/pods`);
      await c.api.patch(`${c.apps}/deployments/d`, 'strategic', { spec: { template: { spec: { containers: [{ name: 'main', image: OTHER_IMAGE }] } } } });
      await rolledOut(c, 'd', 2);
      const left = new Set(before);
      for (const { type, object } of watch.events) {
        if (before.includes(object.metadata.name)) {
          if (type === 'DELETED') left.delete(object.metadata.name);
        } else truly(left.size === 0 || object.metadata.deletionTimestamp, `${object.metadata.name} ran while ${[...left]} was still there`);
      }
    },
  },
  {
    name: 'Deployment deployment should delete old replica sets',
    async run(c) {
      await c.api.post(`${c.apps}/replicasets`, {
        metadata: { name: 'old', labels: { app: 'd' } },
        spec: { replicas: 1, selector: selector({ app: 'd' }), template: template({ app: 'd' }) },
      });
      await c.until(`${c.apps}/replicasets/old`, 'its pod', (rs) => rs.status.readyReplicas === 1);
      await deployment(c, 'd', { revisionHistoryLimit: 0 }, { container: { image: OTHER_IMAGE } });
      await rolledOut(c, 'd', 1);
      await c.gone(`${c.apps}/replicasets/old`);
      same((await c.api.get(`${c.apps}/replicasets`)).items.length, 1, 'replica sets left');
    },
  },
  {
    name: 'Deployment deployment should support proportional scaling',
    async run(c) {
      await deployment(c, 'd', { replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
      await rolledOut(c, 'd', 10);
      const first = (await c.api.get(`${c.apps}/replicasets`)).items[0].metadata.name;
      const { metadata } = await c.api.patch(`${c.apps}/deployments/d`, 'strategic', {
        spec: { template: { spec: { containers: [{ name: 'main', image: 'coxswain.local/none:404' }] } } },
      });
      await c.until(`${c.apps}/deployments/d`, 'the new generation', (d) => d.status.observedGeneration >= metadata.generation);
      await c.until(`${c.apps}/replicasets/${first}`, '8 old', (rs) => rs.spec.replicas === 8 && rs.status.availableReplicas === 8);
      const second = async () => (await c.api.get(`${c.apps}/replicasets`)).items.find((rs: Json) => rs.metadata.name !== first);
      await eventually('5 new', async () => same((await second())?.spec.replicas, 5, 'new'));
      await c.api.change(`${c.apps}/deployments/d`, (d) => {
        d.spec.replicas = 30;
      });
      await c.until(`${c.apps}/replicasets/${first}`, '20 old', (rs) => rs.spec.replicas === 20);
      await eventually('13 new', async () => same((await second())?.spec.replicas, 13, 'new'));
    },
  },
  {
    name: 'Deployment lifecycle, status endpoints, rollover and rollback',
    async run(c) {
      await deployment(c, 'd', { replicas: 2 });
      await rolledOut(c, 'd', 2);
      await statusWorks(c, `${c.apps}/deployments`, 'd');
      await c.kubectl('set', 'image', 'deployment/d', `main=${OTHER_IMAGE}`);
      await c.kubectl('rollout', 'status', 'deployment/d', '--timeout=60s');
      await c.kubectl('rollout', 'undo', 'deployment/d');
      await rolledOut(c, 'd', 2);
      same((await c.pods('app=d')).filter((p) => !p.metadata.deletionTimestamp)[0].spec.containers[0].image, IMAGE, 'image after undo');
      await collectionWorks(c, `${c.apps}/deployments`, '/apis/apps/v1/deployments', 'app=d');
      await eventually('replica sets to be collected', async () => same((await c.api.get(`${c.apps}/replicasets`)).items.length, 0, 'left'));
    },
  },
  {
    name: 'ReplicaSet scale, status, patch, serving',
    async run(c) {
      const labels = { app: 'rs' };
      await c.api.post(`${c.apps}/replicasets`, {
        metadata: { name: 'rs', labels },
        spec: { replicas: 1, selector: selector(labels), template: template(labels, { command: WEB }) },
      });
      await c.until(`${c.apps}/replicasets/rs`, 'its pod', (rs) => rs.status.readyReplicas === 1);
      const [pod] = await c.pods('app=rs');
      await eventually('the pod to answer', async () =>
        same((await c.api.raw('GET', `${c.core}/pods/${pod.metadata.name}:80/proxy/`)).text.trim(), pod.metadata.name, 'its answer'),
      );
      await scaleWorks(c, `${c.apps}/replicasets/rs`, 1);
      await statusWorks(c, `${c.apps}/replicasets`, 'rs');
      const patch = {
        metadata: { labels: { 'test-rs': 'patched' } },
        spec: { replicas: 3, template: { spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: OTHER_IMAGE }] } } },
      };
      const patched = await c.api.patch(`${c.apps}/replicasets/rs`, 'strategic', patch);
      same(
        [patched.metadata.labels['test-rs'], patched.spec.replicas, patched.spec.template.spec.containers[0].image],
        ['patched', 3, OTHER_IMAGE],
        'the patched set',
      );
      await c.until(`${c.apps}/replicasets/rs`, 'three', (rs) => rs.status.readyReplicas === 3 && rs.status.replicas === 3);
      await collectionWorks(c, `${c.apps}/replicasets`, '/apis/apps/v1/replicasets', 'app=rs');
    },
  },
  {
    name: 'ReplicaSet should adopt matching pods on creation and release no longer matching pods',
    async run(c) {
      await c.pod('orphan', {}, { labels: { name: 'r' } });
      const rs = await c.api.post(`${c.apps}/replicasets`, {
        metadata: { name: 'r' },
        spec: { replicas: 1, selector: selector({ name: 'r' }), template: template({ name: 'r' }) },
      });
      const owned = (p: Json) => p.metadata.ownerReferences?.some((o: Json) => o.controller && o.uid === rs.metadata.uid);
      await c.until(`${c.core}/pods/orphan`, 'adoption', owned);
      await c.api.patch(`${c.core}/pods/orphan`, 'strategic', { metadata: { labels: { name: 'not-matching-name' } } });
      await c.until(`${c.core}/pods/orphan`, 'release', (p) => !owned(p));
    },
  },
  {
    name: 'ReplicationController lifecycle, scale, adoption, release, status',
    async run(c) {
      await c.pod('orphan', {}, { labels: { name: 'rc' } });
      const at = `${c.core}/replicationcontrollers`;
      const rc = await c.api.post(at, {
        metadata: { name: 'rc', labels: { 'test-rc-static': 'true' } },
        spec: { replicas: 1, selector: { name: 'rc' }, template: template({ name: 'rc' }, { command: WEB }) },
      });
      const owned = (p: Json) => p.metadata.ownerReferences?.some((o: Json) => o.controller && o.uid === rc.metadata.uid);
      await c.until(`${c.core}/pods/orphan`, 'adoption', owned);
      await c.api.patch(`${c.core}/pods/orphan`, 'strategic', { metadata: { labels: { name: 'other' } } });
      await c.until(`${c.core}/pods/orphan`, 'release', (p) => !owned(p));
      await c.until(`${at}/rc`, 'a new pod', (o) => o.status.readyReplicas === 1);
      await c.api.patch(`${at}/rc`, 'strategic', { metadata: { labels: { 'test-rc': 'patched' } } });
      using watch = c.api.watch(at);
      await c.api.patch(`${at}/rc/status`, 'strategic', { status: { readyReplicas: 0, availableReplicas: 0 } });
      await watch.until('the patched status', (e) => e.type === 'MODIFIED' && !e.object.status.readyReplicas);
      await c.until(`${at}/rc`, 'the controller to set it right', (o) => o.status.readyReplicas === 1);
      await scaleWorks(c, `${at}/rc`, 1);
      truly((await c.api.get('/api/v1/replicationcontrollers?labelSelector=test-rc-static%3Dtrue')).items.length === 1, 'list everywhere');
      await c.api.delete(`${at}?labelSelector=test-rc-static%3Dtrue`);
      await watch.until('its end', (e) => e.type === 'DELETED');
    },
  },
  {
    name: 'ReplicationController should surface a failure condition on a common issue like exceeded quota',
    async run(c) {
      await c.api.post(`${c.core}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard: { pods: '2' } } });
      await c.until(`${c.core}/resourcequotas/q`, 'the quota', (q) => q.status?.hard?.pods === '2');
      const at = `${c.core}/replicationcontrollers/rc`;
      await c.api.post(`${c.core}/replicationcontrollers`, {
        metadata: { name: 'rc' },
        spec: { replicas: 3, selector: { name: 'rc' }, template: template({ name: 'rc' }) },
      });
      const failing = await c.until(at, 'the failure', (rc) => condition(rc, 'ReplicaFailure')?.status === 'True');
      same(condition(failing, 'ReplicaFailure').reason, 'FailedCreate', 'reason');
      truly(condition(failing, 'ReplicaFailure').message.includes('exceeded quota'), `message: ${condition(failing, 'ReplicaFailure').message}`);
      await c.api.change(at, (rc) => {
        rc.spec.replicas = 2;
      });
      await c.until(at, 'the condition to go', (rc) => !condition(rc, 'ReplicaFailure'));
    },
  },
  {
    name: 'Daemon set should run and stop complex daemon; status; collection',
    async run(c) {
      const node = await c.node;
      const key = `${c.ns}-color`;
      c.onEnd(() => c.api.patch(`/api/v1/nodes/${node}`, 'merge', { metadata: { labels: { [key]: null } } }));
      const at = `${c.apps}/daemonsets`;
      const labels = { ds: 'ds' };
      await c.api.post(at, {
        metadata: { name: 'ds', labels },
        spec: { selector: selector(labels), template: template(labels, { nodeSelector: { [key]: 'blue' } }) },
      });
      await c.until(`${at}/ds`, 'being observed', (d) => d.status.observedGeneration >= 1);
      same((await c.pods('ds=ds')).length, 0, 'pods on no node');
      await c.api.patch(`/api/v1/nodes/${node}`, 'merge', { metadata: { labels: { [key]: 'blue' } } });
      await c.until(`${at}/ds`, 'one daemon', (d) => d.status.numberReady === 1 && d.status.desiredNumberScheduled === 1);
      await c.api.patch(`/api/v1/nodes/${node}`, 'merge', { metadata: { labels: { [key]: 'green' } } });
      await eventually('no daemon', async () => same((await c.pods('ds=ds')).length, 0, 'pods'));
      await c.api.change(`${at}/ds`, (d) => {
        d.spec.template.spec.nodeSelector = { [key]: 'green' };
        d.spec.updateStrategy = { type: 'RollingUpdate' };
      });
      await c.until(`${at}/ds`, 'the green daemon', (d) => d.status.numberAvailable === 1 && d.status.updatedNumberScheduled === 1);
      await statusWorks(c, at, 'ds');
      const revisions = (await c.api.get(`${c.apps}/controllerrevisions?labelSelector=ds%3Dds`)).items;
      same(revisions.map((r: Json) => r.revision).sort(), [1, 2], 'revisions');
      // A failed daemon comes back.
      const [pod] = await c.pods('ds=ds');
      await c.api.change(
        `${c.core}/pods/${pod.metadata.name}`,
        (p) => {
          p.status.phase = 'Failed';
        },
        '/status',
      );
      await eventually('the failed daemon to be replaced', async () => {
        const now = await c.pods('ds=ds');
        truly(now.length === 1 && now[0].metadata.uid !== pod.metadata.uid, 'still the old one');
      });
      await collectionWorks(c, at, '/apis/apps/v1/daemonsets', 'ds=ds');
    },
  },
  {
    name: 'Daemon set should rollback without unnecessary restarts',
    async run(c) {
      const at = `${c.apps}/daemonsets/ds`;
      const labels = { ds: 'rb' };
      await c.api.post(`${c.apps}/daemonsets`, { metadata: { name: 'ds' }, spec: { selector: selector(labels), template: template(labels) } });
      await c.until(at, 'the daemon', (d) => d.status.numberAvailable === 1);
      await c.api.change(at, (d) => {
        d.spec.template.spec.containers[0].image = 'foo:non-existent';
      });
      await eventually('the broken daemon', async () =>
        truly(
          (await c.pods('ds=rb')).some((p) => p.spec.containers[0].image === 'foo:non-existent'),
          'not yet',
        ),
      );
      await c.kubectl('rollout', 'undo', 'daemonset/ds');
      const done = await c.until(at, 'the rollback', (d) => d.status.numberAvailable === 1 && d.status.updatedNumberScheduled === 1);
      same(done.spec.template.spec.containers[0].image, IMAGE, 'image');
      const revisions = (await c.api.get(`${c.apps}/controllerrevisions?labelSelector=ds%3Drb`)).items;
      same(revisions.map((r: Json) => r.revision).sort(), [2, 3], 'a rollback renumbers the old revision');
    },
  },
  {
    name: 'ControllerRevision should manage the lifecycle of a ControllerRevision',
    async run(c) {
      const labels = { ds: 'cr' };
      await c.api.post(`${c.apps}/daemonsets`, { metadata: { name: 'ds', labels }, spec: { selector: selector(labels), template: template(labels) } });
      await c.until(`${c.apps}/daemonsets/ds`, 'the daemon', (d) => d.status.numberAvailable === 1);
      const at = `${c.apps}/controllerrevisions`;
      const [initial] = (await c.api.get(`/apis/apps/v1/controllerrevisions?labelSelector=ds%3Dcr`)).items;
      await c.api.patch(`${at}/${initial.metadata.name}`, 'strategic', { metadata: { labels: { [initial.metadata.name]: 'patched' } } });
      const made = await c.api.post(at, {
        metadata: { name: `${initial.metadata.name}-2`, labels, ownerReferences: initial.metadata.ownerReferences },
        data: initial.data,
        revision: initial.revision + 1,
      });
      truly(made.metadata.uid, 'no uid');
      await c.api.change(`${at}/${made.metadata.name}`, (r) => {
        r.metadata.labels[r.metadata.name] = 'updated';
      });
      const bad = await c.api.raw('PATCH', `${at}/${initial.metadata.name}`, { data: { changed: true } }, 'application/merge-patch+json');
      same(bad.code, 422, 'changing data');
      await c.api.delete(`${at}/${initial.metadata.name}`);
      const names = async () => (await c.api.get(`${at}?labelSelector=ds%3Dcr`)).items.map((r: Json) => r.metadata.name);
      same(await names(), [made.metadata.name], 'the one that says the same stands for it');
      await c.api.patch(`${c.apps}/daemonsets/ds`, 'strategic', { spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } } });
      await eventually('the new revision', async () => same((await names()).length, 2, 'revisions'));
      await c.api.delete(`${at}?labelSelector=${made.metadata.name}%3Dupdated`);
      const left = (await c.api.get(`${at}?labelSelector=ds%3Dcr`)).items;
      same(
        left.map((r: Json) => r.revision),
        [3],
        'the revision after the one that was made by hand',
      );
    },
  },
  {
    name: 'StatefulSet should have a working scale subresource; status; collection',
    async run(c) {
      const labels = { foo: 'bar' };
      await headless(c, 'test', labels);
      await statefulSet(c, 'ss', labels, {});
      await c.until(`${c.apps}/statefulsets/ss`, 'its pod', (s) => s.status.readyReplicas === 1);
      await scaleWorks(c, `${c.apps}/statefulsets/ss`, 1);
      await statusWorks(c, `${c.apps}/statefulsets`, 'ss');
      await collectionWorks(c, `${c.apps}/statefulsets`, '/apis/apps/v1/statefulsets', 'foo=bar');
    },
  },
  {
    name: 'StatefulSet Scaling should happen in predictable order and halt if any stateful pod is unhealthy',
    async run(c) {
      const labels = { foo: 'order' };
      const at = `${c.apps}/statefulsets/ss`;
      await headless(c, 'test', labels);
      await statefulSet(c, 'ss', labels, { replicas: 3 }, probed);
      using watch = c.api.watch(`${c.core}/pods`);
      await c.until(at, 'three', (s) => s.status.readyReplicas === 3, 60_000);
      const ready = (p: Json) => condition(p, 'Ready')?.status === 'True';
      const order = watch.events.filter(
        (e, i) => ready(e.object) && watch.events.findIndex((x) => x.object.metadata.name === e.object.metadata.name && ready(x.object)) === i,
      );
      same(
        order.map((e) => e.object.metadata.name),
        ['ss-0', 'ss-1', 'ss-2'],
        'order of scaling up',
      );
      const all = ['ss-0', 'ss-1', 'ss-2'];
      await Promise.all(all.map((p) => c.exec(p, 'mv /tmp/w/index.html /tmp/w/away')));
      await c.until(at, 'all unready', (s) => !s.status.readyReplicas);
      await c.api.patch(`${at}/scale`, 'merge', { spec: { replicas: 0 } });
      await c.until(at, 'the new generation', (s) => s.status.observedGeneration === s.metadata.generation);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      same((await c.pods('foo=order')).filter((p) => !p.metadata.deletionTimestamp).length, 3, 'halted with');
      await Promise.all(all.map((p) => c.exec(p, 'mv /tmp/w/away /tmp/w/index.html')));
      await c.until(at, 'none', (s) => s.status.replicas === 0, 60_000);
      const gone = watch.events.filter((e) => e.type === 'DELETED').map((e) => e.object.metadata.name);
      same(gone, ['ss-2', 'ss-1', 'ss-0'], 'order of scaling down');
    },
  },
  {
    name: 'StatefulSet Burst scaling should run to completion even with unhealthy pods',
    async run(c) {
      const labels = { foo: 'burst' };
      const at = `${c.apps}/statefulsets/ss`;
      await headless(c, 'test', labels);
      await statefulSet(c, 'ss', labels, { replicas: 1, podManagementPolicy: 'Parallel' }, probed);
      await c.running('ss-0');
      await c.exec('ss-0', 'mv /tmp/w/index.html /tmp/w/away');
      await c.until(at, 'ss-0 unready', (s) => !s.status.readyReplicas);
      await c.api.patch(`${at}/scale`, 'merge', { spec: { replicas: 3 } });
      await c.until(at, 'two more', (s) => s.status.readyReplicas === 2 && s.status.replicas === 3);
      await c.api.patch(`${at}/scale`, 'merge', { spec: { replicas: 0 } });
      await c.until(at, 'none', (s) => s.status.replicas === 0);
    },
  },
  {
    name: 'StatefulSet should perform rolling updates and roll backs of template modifications',
    async run(c) {
      const labels = { foo: 'roll' };
      const at = `${c.apps}/statefulsets/ss`;
      await headless(c, 'test', labels);
      await statefulSet(c, 'ss', labels, { replicas: 3 }, probed);
      const first = await c.until(at, 'three', (s) => s.status.readyReplicas === 3, 60_000);
      same(first.status.currentRevision, first.status.updateRevision, 'revisions at first');
      const setImage = (image: string) => c.api.patch(at, 'strategic', { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } });
      await setImage(OTHER_IMAGE);
      const during = await c.until(at, 'a new revision', (s) => s.status.updateRevision !== first.status.updateRevision);
      same(during.status.currentRevision, first.status.currentRevision, 'current revision meanwhile');
      const second = await c.until(at, 'the update', (s) => s.status.currentRevision === during.status.updateRevision && s.status.readyReplicas === 3, 60_000);
      same([second.status.currentReplicas, second.status.updatedReplicas], [3, 3], 'current and updated replicas');
      for (const p of await c.pods('foo=roll')) same(p.metadata.labels['controller-revision-hash'], second.status.updateRevision, 'hash label');
      await setImage(IMAGE);
      const back = await c.until(
        at,
        'the roll back',
        (s) => s.status.updateRevision === first.status.updateRevision && s.status.updatedReplicas === 3 && s.status.readyReplicas === 3,
        60_000,
      );
      same(back.status.updateRevision, first.status.updateRevision, 'revision after going back');
      const revisions = (await c.api.get(`${c.apps}/controllerrevisions`)).items;
      same(revisions.map((r: Json) => r.revision).sort(), [2, 3], 'revisions');
    },
  },
  {
    name: 'StatefulSet should perform canary updates and phased rolling updates of template modifications',
    async run(c) {
      const labels = { foo: 'canary' };
      const at = `${c.apps}/statefulsets/ss`;
      await headless(c, 'test', labels);
      await statefulSet(c, 'ss', labels, { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 3 } } });
      const first = await c.until(at, 'three', (s) => s.status.readyReplicas === 3, 60_000);
      await c.api.patch(at, 'strategic', { spec: { template: { spec: { containers: [{ name: 'main', image: OTHER_IMAGE }] } } } });
      const next = await c.until(
        at,
        'a new revision',
        (s) => s.status.updateRevision !== first.status.updateRevision && s.status.observedGeneration === s.metadata.generation,
      );
      const hashes = async () =>
        (await c.pods('foo=canary')).sort((a, b) => a.metadata.name.localeCompare(b.metadata.name)).map((p) => p.metadata.labels['controller-revision-hash']);
      const old = first.status.updateRevision;
      const fresh = next.status.updateRevision;
      same(await hashes(), [old, old, old], 'behind the partition');
      const partition = (n: number) => c.api.patch(at, 'merge', { spec: { updateStrategy: { rollingUpdate: { partition: n } } } });
      await partition(2);
      await eventually('the canary', async () => same(await hashes(), [old, old, fresh], 'hashes'));
      await c.until(at, 'all ready', (s) => s.status.readyReplicas === 3);
      await Promise.all(['ss-0', 'ss-2'].map((n) => c.api.delete(`${c.core}/pods/${n}`)));
      await eventually('both restored as they were', async () => same(await hashes(), [old, old, fresh], 'hashes'));
      await c.until(at, 'all ready', (s) => s.status.readyReplicas === 3);
      await partition(1);
      await eventually('the next phase', async () => same(await hashes(), [old, fresh, fresh], 'hashes'));
      await partition(0);
      await c.until(at, 'the end', (s) => s.status.currentRevision === fresh && s.status.readyReplicas === 3);
      same(await hashes(), [fresh, fresh, fresh], 'hashes');
    },
  },
  {
    name: 'StatefulSet Should recreate evicted statefulset',
    async run(c) {
      const labels = { foo: 'evicted' };
      await headless(c, 'test', labels);
      const node = await c.node;
      await c.pod('blocker', { nodeName: node, container: { ports: [{ containerPort: 21017, hostPort: 21017 }] } });
      await c.running('blocker');
      await statefulSet(c, 'ss', labels, {}, { nodeName: node, container: { ports: [{ containerPort: 21017, hostPort: 21017 }] } });
      using watch = c.api.watch(`${c.core}/pods`, 'labelSelector=foo%3Devicted');
      await watch.until('the stateful pod to fail', (e) => e.object.status.phase === 'Failed');
      await watch.until('it to be deleted', (e) => e.type === 'DELETED');
      await c.api.delete(`${c.core}/pods/blocker`);
      await c.running('ss-0');
    },
  },
];

const probed = {
  command: WEB,
  container: { readinessProbe: { httpGet: { path: '/index.html', port: 80 }, periodSeconds: 1, failureThreshold: 1, successThreshold: 1 } },
};

const headless = (c: CheckContext, name: string, labels: Json) =>
  c.api.post(`${c.core}/services`, { metadata: { name, labels }, spec: { clusterIP: 'None', ports: [{ port: 80, name: 'http' }], selector: labels } });

const statefulSet = (c: CheckContext, name: string, labels: Json, spec: Json, pod: Json = {}) =>
  c.api.post(`${c.apps}/statefulsets`, {
    metadata: { name, labels },
    spec: { serviceName: 'test', replicas: 1, selector: selector(labels), template: { metadata: { labels }, spec: podSpec(pod) }, ...spec },
  });
