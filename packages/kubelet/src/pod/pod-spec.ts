import type { Container, EphemeralContainer, Pod } from '@coxswain/api';

export type ContainerKind = 'init' | 'sidecar' | 'regular' | 'ephemeral';

/** One container of a pod, with the role it plays. Ephemeral containers have a container's fields. */
export interface ContainerRef {
  readonly kind: ContainerKind;
  readonly container: Container;
}

/** An init container that goes on running beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** All containers in start order. */
export function podContainers(pod: Pod): ContainerRef[] {
  const spec = pod.spec;
  return [
    ...(spec?.initContainers ?? []).map((container): ContainerRef => ({ kind: isSidecar(container) ? 'sidecar' : 'init', container })),
    ...(spec?.containers ?? []).map((container): ContainerRef => ({ kind: 'regular', container })),
    ...(spec?.ephemeralContainers ?? []).map((container): ContainerRef => ({ kind: 'ephemeral', container: asContainer(container) })),
  ];
}

export function findContainer(pod: Pod, name: string): ContainerRef | undefined {
  return podContainers(pod).find((ref) => ref.container.name === name);
}

function asContainer(ephemeral: EphemeralContainer): Container {
  const { targetContainerName: _target, ...container } = ephemeral;
  return container;
}

export interface PodId {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

export function podId(pod: Pod): PodId {
  const { uid, name, namespace } = pod.metadata ?? {};
  return { uid: uid ?? '', name: name ?? '', namespace: namespace ?? 'default' };
}

/** `name_namespace(uid)`, as upstream writes pods in messages. */
export function formatPod(pod: PodId): string {
  return `${pod.name}_${pod.namespace}(${pod.uid})`;
}

/** Seconds a pod may take to stop. */
export function gracePeriodOf(pod: Pod): number {
  return pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
}

export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
