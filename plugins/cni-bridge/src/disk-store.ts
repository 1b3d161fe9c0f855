import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { IpamStore, IpOwner } from '@coxswain/cni';

/** What upstream's host-local writes between container id and interface name. */
const SEPARATOR = '\r\n';

const missing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

function parseOwner(text: string): IpOwner | undefined {
  const [containerId = '', ifname = ''] = text.trim().split(/\r?\n/);
  return containerId === '' ? undefined : { containerId, ifname };
}

/**
 * Reservations as files, in upstream host-local's layout: `<dataDir>/<network>/<ip>` holding the owner, and
 * `last_reserved_ip.<set>`. A network may move between both implementations.
 *
 * No lock: a reservation is a complete file put in place by link(2), which fails when the name is taken. So two
 * processes never get one address, and a crash leaves a whole file or none.
 */
export function diskStore(dataDir: string, network: string): IpamStore {
  const dir = join(dataDir, network);
  const temporary = () => join(dir, `.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  const addresses = async () => {
    try {
      return (await readdir(dir)).filter((name) => isIP(name) !== 0);
    } catch (error) {
      if (missing(error)) return [];
      throw error;
    }
  };
  const ownerOf = async (ip: string): Promise<IpOwner | undefined | 'gone'> => {
    try {
      return parseOwner(await readFile(join(dir, ip), 'utf8'));
    } catch (error) {
      if (missing(error)) return 'gone';
      throw error;
    }
  };
  const all = async () => {
    const found = await Promise.all((await addresses()).map(async (ip) => ({ ip, owner: await ownerOf(ip) })));
    return found.flatMap(({ ip, owner }) => (owner === 'gone' ? [] : [{ ip, owner }]));
  };

  return {
    async reserve(ip, owner) {
      await mkdir(dir, { recursive: true });
      const file = temporary();
      await writeFile(file, `${owner.containerId}${SEPARATOR}${owner.ifname}`, { mode: 0o600 });
      try {
        await link(file, join(dir, ip));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(file, { force: true });
      }
    },
    async last(set) {
      try {
        const text = (await readFile(join(dir, `last_reserved_ip.${set}`), 'utf8')).trim();
        return isIP(text) ? text : undefined;
      } catch (error) {
        if (missing(error)) return undefined;
        throw error;
      }
    },
    async setLast(set, ip) {
      const file = temporary();
      await writeFile(file, ip, { mode: 0o600 });
      await rename(file, join(dir, `last_reserved_ip.${set}`));
    },
    async byOwner(owner) {
      return (await all()).filter((r) => r.owner?.containerId === owner.containerId && (r.owner.ifname === owner.ifname || r.owner.ifname === '')).map((r) => r.ip);
    },
    async release(ip) {
      await rm(join(dir, ip), { force: true });
    },
    all,
  };
}
