import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Sorted first, so that a runtime takes it before those of others. */
const FILE = '10-coxswain.conflist';

export interface CniConfig {
  readonly name: string;
  readonly bridge: string;
  readonly podCIDR: string;
  readonly mtu: number;
}

/** The network of a node's pods, for the `bridge` and `portmap` plugins, ours or the reference ones. Masquerading is not theirs here. */
export function conflist({ name, bridge, podCIDR, mtu }: CniConfig): object {
  return {
    cniVersion: '1.0.0',
    name,
    plugins: [
      {
        type: 'bridge',
        bridge,
        mtu,
        isGateway: true,
        // The node may have got another part of the pod network since the bridge was made.
        forceAddress: true,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: podCIDR }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Written whole, and only when it changes: a runtime reads the folder whenever something in it does. */
export async function writeConflist(dir: string, config: CniConfig): Promise<void> {
  const text = `${JSON.stringify(conflist(config), undefined, 2)}\n`;
  const file = join(dir, FILE);
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
  await mkdir(dir, { recursive: true });
  await writeFile(`${file}.tmp`, text);
  await rename(`${file}.tmp`, file);
}

export async function removeConflist(dir: string): Promise<void> {
  await rm(join(dir, FILE), { force: true });
}
