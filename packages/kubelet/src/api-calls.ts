import type { Pod, RuntimeClass } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';

const codeOf = (error: unknown) => (error as { code?: unknown }).code;

/** Deletes a pod that is over; harmless when it is gone, or another one has its name. */
export async function removeFromApi(client: KubeClient, pod: Pod, signal: AbortSignal): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata ?? {};
  try {
    await client.api.pods(namespace).delete(name, { gracePeriodSeconds: 0, ...(uid ? { preconditions: { uid } } : {}), signal });
  } catch (error) {
    if (codeOf(error) !== 404 && codeOf(error) !== 409) throw error;
  }
}

export async function findRuntimeClass(client: KubeClient, name: string): Promise<RuntimeClass | undefined> {
  try {
    return await client.api.runtimeClasses().get(name);
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    throw error;
  }
}
