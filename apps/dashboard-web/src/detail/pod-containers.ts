import type { KubeObject } from '../api/resource';

export interface PodContainer {
  readonly name: string;
  readonly image: string;
  readonly kind: 'container' | 'init' | 'ephemeral';
  readonly state: string;
  readonly running: boolean;
  readonly restarts: number;
}

interface Status {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly running?: object;
    readonly waiting?: { readonly reason?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
}

/** All containers of a pod with what they are doing, the main ones first. */
export function containersOf(pod: KubeObject): PodContainer[] {
  const statuses = new Map<string, Status>();
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'])
    for (const s of (pod['status']?.[list] ?? []) as Status[]) statuses.set(s.name, s);
  const of = (list: string, kind: PodContainer['kind']) =>
    ((pod['spec']?.[list] ?? []) as { name: string; image?: string }[]).map(({ name, image = '' }): PodContainer => {
      const status = statuses.get(name);
      const { running, waiting, terminated } = status?.state ?? {};
      const state = running ? 'Running' : terminated ? (terminated.reason ?? `Exit ${terminated.exitCode}`) : (waiting?.reason ?? 'Pending');
      return { name, image, kind, state, running: running !== undefined, restarts: status?.restartCount ?? 0 };
    });
  return [...of('containers', 'container'), ...of('initContainers', 'init'), ...of('ephemeralContainers', 'ephemeral')];
}
