import { useMemo } from 'react';
import { NODES } from '../api/resource';
import { useTable } from '../api/use-table';
import type { Topology } from './parts';

/** More nodes than this are not drawn: nobody could read them. */
export const MAX_NODES = 6;

export interface ClusterTopology extends Topology {
  readonly loading: boolean;
  readonly more: number;
  readonly error: Error | undefined;
}

/** What the cluster is made of, as its API tells. */
export function useTopology(components: readonly string[]): ClusterTopology {
  const { columns, rows, loading, error } = useTable(NODES, {});
  return useMemo(() => {
    const runtimeColumn = columns.findIndex((c) => c.name === 'Container-Runtime');
    const names = rows.map((r) => r.object.metadata.name).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    const runtime = new Map(rows.map((r) => [r.object.metadata.name, String(r.cells[runtimeColumn] ?? '').replace('://', ' ')]));
    return {
      nodes: names.slice(0, MAX_NODES),
      more: Math.max(0, names.length - MAX_NODES),
      hasCloud: components.includes('cloud-controller-manager'),
      storeName: 'all objects, by revision',
      runtime,
      loading: loading || (rows.length === 0 && error === undefined),
      error,
    };
  }, [columns, rows, loading, error, components]);
}
