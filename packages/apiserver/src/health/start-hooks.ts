import type { HealthCheck } from '@coxswain/sdk';

/** What a server does at its start, by upstream's names of the hooks that do it there, in the order it is waited for. */
export const START_HOOKS = [
  'generic-apiserver-start-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
  'start-system-namespaces-controller',
  'start-cluster-authentication-info-controller',
  'start-kubernetes-service-cidr-controller',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kube-apiserver-identity-lease-controller',
  'start-kube-apiserver-identity-lease-garbage-collector',
  'start-legacy-token-tracking-controller',
  'priority-and-fairness-config-consumer',
  'apiservice-registration-controller',
  'kube-apiserver-autoregistration',
] as const;

export type StartHook = (typeof START_HOOKS)[number];

/** Which of them are done: a check each. A server that stops has them done still. */
export class StartHooks {
  readonly #done = new Set<StartHook>();
  readonly checks: readonly HealthCheck[];

  /** `absent`: what this server does not do. */
  constructor(absent: readonly StartHook[]) {
    this.checks = START_HOOKS.filter((hook) => !absent.includes(hook)).map((hook) => ({
      name: `poststarthook/${hook}`,
      check: () => (this.#done.has(hook) ? undefined : 'not finished'),
    }));
  }

  begin(): void {
    this.#done.clear();
  }

  done(...hooks: readonly StartHook[]): void {
    for (const hook of hooks) this.#done.add(hook);
  }
}
