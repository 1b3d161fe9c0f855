import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { IpamStore, IpOwner } from '@coxswain/cni';

/** What upstream's host-local writes between container id and interface name. */
const SEPARATOR = '\r\n';

const missing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** As `rm -f`, without what Node's rmSync looks at first. */
function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!missing(error)) throw error;
  }
}

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
 *
 * Synchronous on purpose: a hundred files of thirty bytes are read in a millisecond so, and in ten by the thread pool. And nothing is
 * remembered between calls: the folder's time of change, by which a memory could tell that others were at work, moves in ticks of the kernel
 * (4 ms), so what another process does in the tick of a change of ours would never be seen.
 */
export function diskStore(dataDir: string, network: string): IpamStore {
  const dir = join(dataDir, network);
  const temporary = () => join(dir, `.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  const all = () => {
    let names: string[];
    try {
      names = readdirSync(dir);
    } catch (error) {
      if (missing(error)) return [];
      throw error;
    }
    const found: { ip: string; owner: IpOwner | undefined }[] = [];
    for (const ip of names) {
      if (isIP(ip) === 0) continue;
      try {
        found.push({ ip, owner: parseOwner(readFileSync(join(dir, ip), 'utf8')) });
      } catch (error) {
        // Released meanwhile.
        if (!missing(error)) throw error;
      }
    }
    return found;
  };

  return {
    async reserve(ip, owner) {
      const reservation = join(dir, ip);
      // Most that are taken have been for long: saves writing a file in vain.
      if (existsSync(reservation)) return false;
      mkdirSync(dir, { recursive: true });
      const file = temporary();
      try {
        writeFileSync(file, `${owner.containerId}${SEPARATOR}${owner.ifname}`, { mode: 0o600 });
        linkSync(file, reservation);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        remove(file);
      }
    },
    async last(set) {
      try {
        const text = readFileSync(join(dir, `last_reserved_ip.${set}`), 'utf8').trim();
        return isIP(text) ? text : undefined;
      } catch (error) {
        if (missing(error)) return undefined;
        throw error;
      }
    },
    // In place: only a hint where to look first, and what a crash or another process leaves of it is at worst a bad one.
    // A file renamed over it would be put on the disk there and then (ext4's auto_da_alloc), by far the longest step of a reservation.
    async setLast(set, ip) {
      const fd = openSync(join(dir, `last_reserved_ip.${set}`), constants.O_WRONLY | constants.O_CREAT, 0o600);
      try {
        ftruncateSync(fd, writeSync(fd, ip, 0));
      } finally {
        closeSync(fd);
      }
    },
    async byOwner(owner) {
      return all()
        .filter((r) => r.owner?.containerId === owner.containerId && (r.owner.ifname === owner.ifname || r.owner.ifname === ''))
        .map((r) => r.ip);
    },
    async release(ip) {
      remove(join(dir, ip));
    },
    all: async () => all(),
  };
}
