import { CniError, CniErrorCode, type CniPlugin, CURRENT_VERSION, SUPPORTED_VERSIONS } from '@coxswain/cni';
import { LinuxError, NotFoundError } from '@coxswain/linux';
import type { Host } from './host.js';

const gone = (error: unknown) => error instanceof NotFoundError || (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Brings `lo` up. */
export function loopback(host: Host): CniPlugin {
  return {
    type: 'loopback',
    supportedVersions: SUPPORTED_VERSIONS,
    async add({ netns, config }) {
      const network = host.inside(netns);
      await network.setLink('lo', { up: true });
      if (config.prevResult) return config.prevResult;
      const lo = await network.link('lo');
      const addresses = await network.addresses(lo.index);
      return {
        cniVersion: CURRENT_VERSION,
        interfaces: [{ name: 'lo', mac: lo.mac, sandbox: netns }],
        ips: addresses.map((a) => ({ address: `${a.address}/${a.prefix}`, interface: 0 })),
      };
    },
    async check({ netns }) {
      if (!(await host.inside(netns).link('lo')).up) throw new CniError(CniErrorCode.internal, 'loopback: lo is down');
    },
    async del({ netns }) {
      if (netns === '') return;
      try {
        await host.inside(netns).setLink('lo', { up: false });
      } catch (error) {
        // EINVAL: the file is left, the namespace is not.
        if (!gone(error) && !(error instanceof LinuxError && error.code === 'EINVAL')) throw error;
      }
    },
    gc: async () => {},
    status: async () => {},
  };
}
