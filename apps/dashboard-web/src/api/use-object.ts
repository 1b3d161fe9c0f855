import { useEffect, useState } from 'react';
import { isBroken, json, k8s, lines, request, sleep } from './request';
import { collectionPath, type KubeObject, objectPath, type Resource, resourceKey } from './resource';
import { StatusError } from './status-error';

export interface LiveObject {
  readonly object: KubeObject | undefined;
  readonly deleted: boolean;
  readonly error: Error | undefined;
}

/** One object, kept current by a watch. */
export function useObject(resource: Resource | undefined, namespace: string | undefined, name: string): LiveObject {
  const [live, setLive] = useState<LiveObject>({ object: undefined, deleted: false, error: undefined });
  const key = resource ? resourceKey(resource) : '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the resource
  useEffect(() => {
    if (!resource) return;
    const end = new AbortController();
    setLive({ object: undefined, deleted: false, error: undefined });
    void follow(resource, namespace, name, setLive, end.signal);
    return () => end.abort();
  }, [key, namespace, name]);
  return live;
}

async function follow(resource: Resource, namespace: string | undefined, name: string, show: (live: LiveObject) => void, signal: AbortSignal): Promise<void> {
  let object: KubeObject | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      object = await json<KubeObject>(k8s(objectPath(resource, namespace, name)), { signal });
      failures = 0;
      show({ object, deleted: false, error: undefined });
      if (!resource.verbs.includes('watch')) return;
      const query = new URLSearchParams({
        watch: '1',
        fieldSelector: `metadata.name=${name}`,
        resourceVersion: object.metadata.resourceVersion ?? '',
      });
      const response = await request(`${k8s(collectionPath(resource, namespace))}?${query}`, { signal });
      for await (const batch of lines(response)) {
        for (const line of batch) {
          const event = JSON.parse(line) as { type: string; object: KubeObject };
          if (event.type === 'ERROR') throw new Error('the watch ended');
          if (event.type === 'BOOKMARK') continue;
          object = event.object;
          show({ object, deleted: event.type === 'DELETED', error: undefined });
        }
      }
      await sleep(300, signal);
    } catch (error) {
      if (signal.aborted) return;
      const gone = error instanceof StatusError && error.code === 404;
      // A connection that breaks once is no news.
      if (object && isBroken(error) && failures++ === 0) {
        await sleep(300, signal);
        continue;
      }
      show({ object, deleted: gone && object !== undefined, error: gone && object ? undefined : (error as Error) });
      if (gone || (error instanceof StatusError && error.code === 403)) return;
      await sleep(2000, signal);
    }
  }
}
