import type { Logger } from '@coxswain/sdk';
import type { ServingCertificates } from './serving-certificates.js';

interface TlsReloaderOptions {
  readonly read: () => Promise<ServingCertificates>;
  /** What is served with. */
  readonly serving: ServingCertificates;
  readonly reload: (next: ServingCertificates) => void;
  readonly logger: Logger;
}

/** A look whether certificates have changed, to be had now and then. */
export function tlsReloader({ read, serving, reload, logger }: TlsReloaderOptions): () => void {
  let current = JSON.stringify(serving);
  return () => {
    read()
      .then((next) => {
        const text = JSON.stringify(next);
        if (text === current) return;
        reload(next);
        current = text;
        logger.info('serving with new certificates');
      })
      // Half-written or mismatched files: the old ones serve on, and the next round looks again.
      .catch((err: unknown) => logger.warn('new certificates cannot be used', { err }));
  };
}
