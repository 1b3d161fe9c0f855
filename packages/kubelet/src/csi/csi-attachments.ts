import type { Node, VolumeAttachment } from '@coxswain/api';
import { isForbidden, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';
import { attachmentName, uniqueVolumeName } from './csi-paths.js';

const TIMEOUT_MS = 120_000;

export interface CsiAttachmentsDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly node: () => Node | undefined;
  /** The list of volumes in use changed: the node is to tell of it now. */
  readonly changed: () => void;
}

/**
 * The volumes this node uses of those that must be attached to it, as it tells the cluster in `status.volumesInUse`: nobody detaches what
 * is listed there. So a volume is used only once it is listed, and listed until it is no longer staged.
 */
export class CsiAttachments {
  readonly #inUse = new Set<string>();

  constructor(private readonly deps: CsiAttachmentsDeps) {}

  get inUse(): string[] {
    return [...this.#inUse].sort();
  }

  use(driver: string, handle: string): void {
    const name = uniqueVolumeName(driver, handle);
    if (this.#inUse.has(name)) return;
    this.#inUse.add(name);
    this.deps.changed();
  }

  release(driver: string, handle: string): void {
    if (this.#inUse.delete(uniqueVolumeName(driver, handle))) this.deps.changed();
  }

  /** Resolves, with what the attacher tells of it, when the volume is attached here and the node said that it uses it. */
  async attached(driver: string, handle: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { clock } = this.deps;
    this.use(driver, handle);
    const until = clock.monotonic() + TIMEOUT_MS;
    for (let wait = 25; ; wait = Math.min(wait * 2, 1000)) {
      const attachment = await this.#get(attachmentName(driver, handle, this.deps.nodeName), signal);
      const reported = this.deps.node()?.status?.volumesInUse?.includes(uniqueVolumeName(driver, handle)) ?? false;
      if (reported && attachment?.status?.attached && !attachment.metadata.deletionTimestamp) return attachment.status.attachmentMetadata ?? {};
      if (clock.monotonic() > until) {
        const why = attachment?.status?.attachError?.message;
        throw new Error(`timed out waiting for external-attacher of ${driver} CSI driver to attach volume ${handle}${why ? `: ${why}` : ''}`);
      }
      await clock.sleep(wait, signal);
    }
  }

  async #get(name: string, signal: AbortSignal): Promise<VolumeAttachment | undefined> {
    try {
      return await this.deps.client.api.volumeAttachments().get(name, { signal });
    } catch (error) {
      // A node may not ask for what is not there.
      if (isNotFound(error) || isForbidden(error)) return undefined;
      throw error;
    }
  }
}
