import type { Container, Pod } from '@coxswain/api';
import type { KubeletEvents } from '../events.js';

/** Tells how resizes of one pod go, in upstream's words. */
export class ResizeEvents {
  #running = false;
  #pending = '';

  constructor(private readonly deps: { readonly events: KubeletEvents }) {}

  pending(pod: Pod, reason: 'Deferred' | 'Infeasible', message: string): void {
    if (this.#pending === message) return;
    this.#pending = message;
    this.deps.events.pod(pod, 'Warning', `Resize${reason}`, resizeText(`Pod resize ${reason}`, pod, message));
  }

  started(pod: Pod): void {
    this.#pending = '';
    if (this.#running) return;
    this.#running = true;
    this.deps.events.pod(pod, 'Normal', 'ResizeStarted', resizeText('Pod resize started', pod));
  }

  failed(pod: Pod, message: string): void {
    this.#running = false;
    this.deps.events.pod(pod, 'Warning', 'ResizeError', resizeText('Pod resize error', pod, message));
  }

  /** Nothing is left to do. */
  settled(pod: Pod): void {
    this.#pending = '';
    if (!this.#running) return;
    this.#running = false;
    this.deps.events.pod(pod, 'Normal', 'ResizeCompleted', resizeText('Pod resize completed', pod));
  }
}

/** What was asked for, as JSON with the keys in upstream's order. Pure. */
export function resizeText(prefix: string, pod: Pod, error?: string): string {
  const resourcesOf = (containers: readonly Container[] | undefined) => containers?.map(({ name, resources }) => ({ name, resources: ordered(resources) }));
  const { initContainers, containers } = pod.spec ?? {};
  return `${prefix}: ${JSON.stringify({
    ...(initContainers?.length ? { initContainers: resourcesOf(initContainers) } : {}),
    ...(containers?.length ? { containers: resourcesOf(containers) } : {}),
    generation: pod.metadata?.generation ?? 0,
    ...(error === undefined ? {} : { error }),
  })}`;
}

function ordered({ limits, requests }: NonNullable<Container['resources']> = {}) {
  const sorted = (amounts: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...(limits ? { limits: sorted(limits) } : {}), ...(requests ? { requests: sorted(requests) } : {}) };
}
