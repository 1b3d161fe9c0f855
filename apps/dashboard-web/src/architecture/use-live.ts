import { useEffect, useState } from 'react';
import { k8s, request, sleep } from '../api/request';
import { flowsBetween } from './flows';
import { type Live, NOTHING } from './live';
import { type Reading, readingOf, type Texts } from './reading';

const EVERY_MS = 1000;
const MINUTE = 60;

/** Reads the counters of all components once a second while the page is looked at, and tells what they grew by. */
export function useLiveReadings(nodes: readonly string[], components: readonly string[], showOwn: boolean): Live {
  const [live, setLive] = useState<Live>(NOTHING);
  const names = nodes.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the names stand for the list
  useEffect(() => {
    const end = new AbortController();
    let before: Reading | undefined;
    const history = new Map<string, number[]>();
    void (async () => {
      for (let beat = 1; !end.signal.aborted; beat++) {
        const begin = performance.now();
        if (document.visibilityState === 'visible') {
          const { texts, problem } = await readTexts(nodes, components, end.signal);
          if (end.signal.aborted) return;
          const reading = readingOf(begin, texts, showOwn);
          const flows = before ? flowsBetween(before, reading) : new Map();
          const seconds = before ? Math.max(0.5, (begin - before.at) / 1000) : 1;
          for (const [id, flow] of flows) history.set(id, [...(history.get(id) ?? []), (flow.calls + flow.events) / seconds].slice(-MINUTE));
          setLive({ beat, flows, figures: reading.figures, history: new Map(history), problem });
          before = reading;
        } else before = undefined;
        await sleep(Math.max(100, EVERY_MS - (performance.now() - begin)), end.signal);
      }
    })();
    return () => end.abort();
  }, [names, components, showOwn]);
  return live;
}

async function readTexts(nodes: readonly string[], components: readonly string[], signal: AbortSignal): Promise<{ texts: Texts; problem: string | undefined }> {
  let problem: string | undefined;
  const text = async (path: string): Promise<string | undefined> => {
    try {
      return await (await request(path, { accept: 'text/plain', signal })).text();
    } catch (error) {
      problem ??= (error as Error).message;
      return undefined;
    }
  };
  const each = async (names: readonly string[], path: (name: string) => string) => {
    const found = await Promise.all(names.map(async (name) => [name, (await text(path(name))) ?? ''] as const));
    return new Map(found);
  };
  const [apiserver, kubelets, others] = await Promise.all([
    text(k8s('/metrics')),
    each(nodes, (node) => k8s(`/api/v1/nodes/${encodeURIComponent(node)}/proxy/metrics`)),
    each(components, (name) => `/components/${encodeURIComponent(name)}/metrics`),
  ]);
  return { texts: { apiserver, kubelets, components: others }, problem };
}
