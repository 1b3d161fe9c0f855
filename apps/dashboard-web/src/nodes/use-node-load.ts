import { useEffect, useState } from 'react';
import { json, k8s, sleep } from '../api/request';

interface Usage {
  readonly time?: string;
  readonly usageNanoCores?: number;
  readonly usageCoreNanoSeconds?: number;
  readonly workingSetBytes?: number;
}

interface Summary {
  readonly node: { readonly cpu?: Usage; readonly memory?: Usage };
  readonly pods?: readonly { readonly podRef: { readonly name: string; readonly namespace: string }; readonly cpu?: Usage; readonly memory?: Usage }[];
}

export interface PodLoad {
  readonly namespace: string;
  readonly name: string;
  /** Cores. */
  readonly cpu: number;
  readonly memory: number;
}

export interface NodeLoadSeries {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  /** Cores. */
  readonly cpu: readonly number[];
  /** Bytes of working set. */
  readonly memory: readonly number[];
  readonly top: readonly PodLoad[];
  readonly error: Error | undefined;
}

const EVERY_MS = 5000;
const KEEP = 360;
const EMPTY: NodeLoadSeries = { times: [], cpu: [], memory: [], top: [], error: undefined };

/** The kubelet's statistics, through the API server's node proxy. Needs the right to get nodes/proxy. */
export function useNodeLoad(node: string): NodeLoadSeries {
  const [load, setLoad] = useState(EMPTY);
  useEffect(() => {
    const end = new AbortController();
    setLoad(EMPTY);
    void (async () => {
      let before: Usage | undefined;
      while (!end.signal.aborted) {
        try {
          const summary = await json<Summary>(k8s(`/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`), { signal: end.signal });
          const { cpu } = summary.node;
          const used = rate(cpu, before);
          if (cpu?.time !== before?.time) before = cpu;
          setLoad((l) => add(l, summary, used));
        } catch (error) {
          if (end.signal.aborted) return;
          setLoad((l) => ({ ...l, error: error as Error }));
        }
        await sleep(EVERY_MS, end.signal);
      }
    })();
    return () => end.abort();
  }, [node]);
  return load;
}

/** What the kubelet says, or the difference of two readings where it only counts. */
function rate(now: Usage | undefined, before: Usage | undefined): number | undefined {
  if (now?.usageNanoCores !== undefined) return now.usageNanoCores / 1e9;
  if (now?.usageCoreNanoSeconds === undefined || before?.usageCoreNanoSeconds === undefined || !now.time || !before.time) return undefined;
  const milliseconds = Date.parse(now.time) - Date.parse(before.time);
  return milliseconds > 0 ? (now.usageCoreNanoSeconds - before.usageCoreNanoSeconds) / 1e6 / milliseconds : undefined;
}

function add(load: NodeLoadSeries, { node, pods = [] }: Summary, cpu: number | undefined): NodeLoadSeries {
  const top = pods
    .map((p): PodLoad => ({ ...p.podRef, cpu: (p.cpu?.usageNanoCores ?? 0) / 1e9, memory: p.memory?.workingSetBytes ?? 0 }))
    .sort((a, b) => b.cpu - a.cpu || b.memory - a.memory)
    .slice(0, 8);
  if (cpu === undefined) return { ...load, top, error: undefined };
  const push = (list: readonly number[], value: number) => [...list, value].slice(-KEEP);
  const memory = push(load.memory, node.memory?.workingSetBytes ?? 0);
  return { times: push(load.times, Date.now() / 1000), cpu: push(load.cpu, cpu), memory, top, error: undefined };
}
