import type { KubeletDeps } from '../kubelet.js';

/** The node's share of the pods' network: whoever makes networks of pods is told once of each. */
export class PodCidr {
  #current = '';

  constructor(
    private readonly deps: Pick<KubeletDeps, 'cri' | 'logger' | 'onPodCIDR'>,
    /** They have been told. */
    private readonly told: () => void,
  ) {}

  /** `all`: with those of other families; absent: there are none. */
  use(cidr: string, all: readonly string[] | undefined): void {
    if (!cidr || cidr === this.#current) return;
    this.#current = cidr;
    const { logger, cri, onPodCIDR } = this.deps;
    void Promise.all([
      cri.runtime
        .updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: cidr } } })
        .catch((error: unknown) => logger.debug('telling the runtime the pod CIDR failed', { err: error })),
      Promise.resolve(onPodCIDR?.(cidr, all ?? [cidr])).catch((error: unknown) =>
        logger.error('writing the pod network configuration failed', { cidr, err: error }),
      ),
    ]).then(this.told);
  }
}
