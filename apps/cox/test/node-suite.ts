import { beforeAll, describe, expect, test } from 'vitest';
import { type ClusterFixture, eventually } from './cluster-fixture.js';
import { checkPods, checks, type NodeCheck, objects } from './node-checks.js';

interface PodObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses?: readonly { readonly state: { readonly terminated?: { readonly exitCode: number; readonly message?: string } } }[];
  };
}

const namespace = 'node-checks';

/** All pods of the suite at once, in a namespace of their own; they run by themselves. */
export async function startNodeChecks(cluster: ClusterFixture): Promise<void> {
  await cluster.kubectl('create', 'namespace', namespace);
  const items = [...objects, ...checkPods].map((item) => item as { readonly metadata: object });
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: items.map((item) => ({ ...item, metadata: { ...item.metadata, namespace } })) }));
}

/** What pods may ask of their node and get. Starts them, unless that was done before. */
export function nodeSuite(under: () => ClusterFixture, started = false): void {
  let cluster: ClusterFixture;
  let finished: Map<string, PodObject>;

  beforeAll(async () => {
    cluster = under();
    if (!started) await startNodeChecks(cluster);
    finished = await eventually(
      'every pod ended',
      async () => {
        const pods = await cluster.pods<PodObject>('', namespace);
        expect(pods.filter((p) => p.status.phase !== 'Succeeded' && p.status.phase !== 'Failed').map((p) => p.metadata.name)).toEqual([]);
        return new Map(pods.map((p) => [p.metadata.name, p]));
      },
      280_000,
    );
    // All at once on a machine that others use too: a bound, not an expectation.
  }, 300_000);

  describe.concurrent('a pod that runs to its end', () => {
    test.each(checks.map((c): [string, NodeCheck] => [c.name, c]))('%s', async (name, check) => {
      const found = finished.get(name);
      const terminated = found?.status.containerStatuses?.[0]?.state.terminated;
      expect({ phase: found?.status.phase, message: terminated?.message ?? '' }).toMatchObject({ phase: check.phase ?? 'Succeeded' });
      if (check.ended) expect({ message: undefined, ...terminated }).toMatchObject(check.ended);
      if (!check.says) return;
      const lines = (await cluster.podLog(name, 'c', namespace)).split('\n');
      for (const said of check.says) expect(lines).toContainEqual(typeof said === 'string' ? said : expect.stringMatching(said));
    });
  });
}
