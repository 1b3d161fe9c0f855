import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeClient } from '@coxswain/client';
import type { ClaimReference, DraDriver, PreparedDevice } from '@coxswain/dra';

export const DRIVER = 'leds.example.com';

/**
 * Makes the LEDs of a claim ready: one CDI specification for the claim, which sets an environment variable and gives a device node. There are no
 * real LEDs: /dev/null stands in for each.
 */
export class LedDriver implements DraDriver {
  constructor(
    private readonly client: KubeClient,
    private readonly cdiFolder: string,
  ) {}

  async prepare({ namespace, name, uid }: ClaimReference): Promise<PreparedDevice[]> {
    const claim = await this.client.api.resourceClaims(namespace).get(name);
    // A claim of the same name may have taken its place meanwhile.
    if (claim.metadata.uid !== uid) throw new Error(`claim ${namespace}/${name} is another one now`);
    const mine = (claim.status?.allocation?.devices?.results ?? []).filter((result) => result.driver === DRIVER);
    const devices = mine.map(({ device }) => ({
      name: device,
      containerEdits: {
        env: [`LED_${device.toUpperCase()}=on`],
        deviceNodes: [{ path: `/dev/led-${device}`, hostPath: '/dev/null', permissions: 'rw' }],
      },
    }));
    await mkdir(this.cdiFolder, { recursive: true });
    const file = this.#file(uid);
    await writeFile(`${file}.tmp`, JSON.stringify({ cdiVersion: '0.6.0', kind: kindOf(uid), devices }));
    await rename(`${file}.tmp`, file);
    return mine.map(({ request, pool, device }) => ({ requests: [request], pool, device, cdiDevices: [`${kindOf(uid)}=${device}`] }));
  }

  async unprepare({ uid }: ClaimReference): Promise<void> {
    await rm(this.#file(uid), { force: true });
  }

  #file(uid: string): string {
    return join(this.cdiFolder, `${DRIVER}-${uid}.json`);
  }
}

/** A class begins with a letter. */
const kindOf = (uid: string): string => `${DRIVER}/claim-${uid}`;
