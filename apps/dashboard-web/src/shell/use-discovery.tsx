import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { discover } from '../api/discovery';
import { sleep } from '../api/request';
import type { Resource } from '../api/resource';
import { ErrorNotice, Loading } from '../ui/notice';

const DiscoveryContext = createContext<readonly Resource[]>([]);
/** New custom resources show up within so long. */
const AGAIN_MS = 15_000;

export const useResources = () => useContext(DiscoveryContext);

export function useResource(group: string, name: string): Resource | undefined {
  return useResources().find((r) => r.group === group && r.name === name);
}

export function DiscoveryGate({ children }: { readonly children: ReactNode }) {
  const [resources, setResources] = useState<readonly Resource[]>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    const end = new AbortController();
    let last = '';
    void (async () => {
      while (!end.signal.aborted) {
        try {
          const found = await discover(end.signal);
          const text = JSON.stringify(found);
          if (text !== last) setResources(found);
          last = text;
          setError(undefined);
        } catch (e) {
          if (!end.signal.aborted) setError(e as Error);
        }
        await sleep(AGAIN_MS, end.signal);
      }
    })();
    return () => end.abort();
  }, []);
  if (!resources) return error ? <ErrorNotice error={error} /> : <Loading />;
  return <DiscoveryContext.Provider value={resources}>{children}</DiscoveryContext.Provider>;
}
