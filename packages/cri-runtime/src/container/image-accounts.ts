import { readRootfsFile } from './rootfs-files.js';

/** Texts of an image's account files; empty where it has none. */
export interface Accounts {
  readonly passwd: string;
  readonly group: string;
}

const KEPT = 128;

/**
 * /etc/passwd and /etc/group of images. A new container's root file system is its image's, which never changes, so that they are looked
 * up in its layers once and not at every start.
 */
export class ImageAccounts {
  readonly #known = new Map<string, Accounts>();

  /** `layers`: of a container that has not written yet, uppermost first. */
  async of(imageId: string, layers: readonly string[]): Promise<Accounts> {
    let accounts = this.#known.get(imageId);
    if (!accounts) {
      const [passwd, group] = await Promise.all([readRootfsFile(layers, '/etc/passwd'), readRootfsFile(layers, '/etc/group')]);
      accounts = { passwd, group };
    }
    // Used last goes to the end: the first is the one to forget.
    this.#known.delete(imageId);
    this.#known.set(imageId, accounts);
    if (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value as string);
    return accounts;
  }
}
