import type { DaemonSetStatus, KubeObject, Node, Pod } from '@coxswain/api';
import { hasStatusCause, isNotFound, labelSelectorFromObject, semanticEqual } from '@coxswain/apimachinery';
import { Expectations, Resources, splitKey } from '@coxswain/client';
import { isAvailable, isReady, untilAvailable } from '../pods/pod-state.js';
import { podsByOwner } from '../pods/pods-by-owner.js';
import { watchOwnedPods } from '../pods/watch-owned-pods.js';
import { revisionHash, syncRevisions, truncateHistory, REVISION_LABEL } from '../revisions/controller-revisions.js';
import { claimObjects } from '../runtime/claim.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { ownerKey } from '../runtime/owners.js';
import { slowStart } from '../runtime/slow-start.js';
import { daemonFits, daemonPod, DAEMON_SET, isUpdated, targetNode } from './daemon-pods.js';
import { planPlacement, planUpdate, type DaemonState } from './daemonset-plan.js';

/** One pod on every node that fits. */
export function daemonSetController({ client, informers, clock, events }: ControllerContext): Controller {
  const sets = informers.informer(Resources.daemonSets);
  const pods = informers.informer(Resources.pods);
  const owned = podsByOwner(pods);
  const nodes = informers.informer(Resources.nodes);
  const revisions = informers.informer(Resources.controllerRevisions);
  const expectations = new Expectations(clock);
  const key = (s: { metadata: { namespace?: string; name?: string } }) => `${s.metadata.namespace}/${s.metadata.name}`;

  return {
    name: 'daemonset',
    watch(queue) {
      const all = () => {
        for (const s of sets.lister.list()) queue.add(key(s));
      };
      const matters = (n: Node) => [n.metadata.labels, n.spec?.taints, n.spec?.unschedulable];
      const undo = [
        sets.addHandler({
          add: (s) => queue.add(key(s)),
          update: (_o, s) => queue.add(key(s)),
          delete: (s) => {
            expectations.forget(key(s));
            queue.add(key(s));
          },
        }),
        nodes.addHandler({ add: all, update: (old, n) => !semanticEqual(matters(old), matters(n)) && all(), delete: all }),
        watchOwnedPods(pods, {
          ownerOf: (p) => ownerKey(p as KubeObject, DAEMON_SET),
          orphanKeys: (p) =>
            sets.lister
              .list({ namespace: p.metadata.namespace })
              .filter((s) => labelSelectorFromObject(s.spec?.selector).matches(p.metadata.labels))
              .map(key),
          queue,
          created: (k) => expectations.creationObserved(k),
          deleted: (k, uid) => expectations.deletionObserved(k, uid),
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const set = sets.lister.get(name, namespace);
      if (!set || set.metadata.deletionTimestamp) return undefined;
      const selector = labelSelectorFromObject(set.spec?.selector);
      if (selector.isEmpty) {
        events(set as KubeObject, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.');
        return undefined;
      }
      const freshOwner = () => client.api.daemonSets(namespace).get(name, { signal }) as Promise<KubeObject>;
      const history = await syncRevisions({
        client,
        owner: set,
        ownerKind: DAEMON_SET,
        candidates: revisions.lister.list({ namespace }),
        freshOwner,
        signal,
      });
      const revision = history.at(-1);
      if (!revision) return undefined;
      const hash = revisionHash(revision);
      const upToDate = expectations.satisfied(at);
      const own = await claimObjects<Pod>({
        owner: set as KubeObject,
        ownerKind: DAEMON_SET,
        selector,
        objects: owned.claimable(set),
        client: client.api.pods(namespace),
        freshOwner,
        signal,
      });
      const podsByNode = new Map<string, Pod[]>();
      for (const p of own) {
        const node = targetNode(p);
        if (node === undefined) continue;
        const list = podsByNode.get(node);
        if (list) list.push(p);
        else podsByNode.set(node, [p]);
      }
      const now = clock.now();
      const state: DaemonState = { set, nodes: nodes.lister.list(), podsByNode, hash, now };
      let failure: unknown;
      if (upToDate) {
        let plan = planPlacement(state);
        if (plan.create.length + plan.remove.length + plan.failed.length === 0) plan = planUpdate(state);
        const victims = [...plan.remove, ...plan.failed];
        for (const p of plan.failed)
          events(set as KubeObject, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${key(p)} on node ${p.spec?.nodeName ?? ''}, will try to kill it`);
        expectations.expectCreations(at, plan.create.length);
        expectations.expectDeletions(
          at,
          victims.map((p) => p.metadata.uid ?? ''),
        );
        const made = await slowStart(plan.create.length, async (i) => {
          const pod = await client.api.pods(namespace).create(daemonPod(set, revision, plan.create[i] as string), { signal });
          events(set as KubeObject, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name ?? ''}`);
        });
        for (let i = made.succeeded; i < plan.create.length; i++) expectations.creationObserved(at);
        if (made.error !== undefined && !hasStatusCause(made.error, 'NamespaceTerminating')) {
          failure = made.error;
          events(set as KubeObject, 'Warning', 'FailedCreate', `Error creating: ${(made.error as Error).message}`);
        }
        await Promise.all(
          victims.map(async (p) => {
            try {
              await client.api.pods(namespace).delete(p.metadata.name ?? '', { signal });
              events(set as KubeObject, 'Normal', 'SuccessfulDelete', `Deleted pod: ${p.metadata.name ?? ''}`);
            } catch (error) {
              expectations.deletionObserved(at, p.metadata.uid ?? '');
              if (!isNotFound(error)) failure ??= error;
            }
          }),
        );
      }
      const status = daemonStatus(state);
      if (!semanticEqual(status, set.status)) await client.api.daemonSets(namespace).updateStatus({ ...set, status }, { signal });
      await truncateHistory(client, set, history, new Set(own.map((p) => p.metadata.labels?.[REVISION_LABEL] ?? '')), signal);
      if (failure !== undefined) throw failure;
      const wait = untilAvailable(own, set.spec?.minReadySeconds ?? 0, now);
      return wait === undefined ? undefined : { requeueAfterMs: wait };
    },
  };
}

/** The counts, by node. Pure. */
export function daemonStatus({ set, nodes, podsByNode, hash, now }: DaemonState): DaemonSetStatus {
  const s = { desired: 0, current: 0, mis: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const { shouldRun } = daemonFits(set, node);
    const alive = (podsByNode.get(node.metadata.name ?? '') ?? []).filter((p) => !p.metadata.deletionTimestamp);
    if (!shouldRun) {
      if (alive.length > 0) s.mis++;
      continue;
    }
    s.desired++;
    if (alive.length === 0) continue;
    s.current++;
    if (alive.some(isReady)) s.ready++;
    if (alive.some((p) => isAvailable(p, set.spec?.minReadySeconds ?? 0, now))) s.available++;
    if (alive.some((p) => isUpdated(p, hash))) s.updated++;
  }
  return {
    observedGeneration: set.metadata.generation ?? 0,
    currentNumberScheduled: s.current,
    desiredNumberScheduled: s.desired,
    numberMisscheduled: s.mis,
    numberReady: s.ready,
    numberAvailable: s.available,
    numberUnavailable: s.desired - s.available,
    updatedNumberScheduled: s.updated,
    ...(set.status?.collisionCount !== undefined && { collisionCount: set.status.collisionCount }),
    ...(set.status?.conditions && { conditions: set.status.conditions }),
  };
}
