import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig } from '@coxswain/cri';

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Layers of nothing but what nearly every container has mounted over: /dev, files in /etc, the folder of the service account's token. The lowest of a
 * container, so that the OCI runtime finds its mount points instead of making them, for each container anew, in the writable layer. Whatever the
 * image has at these paths, and the owner and mode of its folders, hides them.
 */
export class MountPoints {
  private constructor(
    private readonly files: string,
    private readonly token: string,
  ) {}

  /** Made once, below `dir`. Idempotent. */
  static async make(dir: string): Promise<MountPoints> {
    const [files, token] = [join(dir, 'f'), join(dir, 't')];
    for (const layer of [files, token]) {
      for (const name of ['dev', 'etc', 'proc', 'sys']) await mkdir(join(layer, name), { recursive: true, mode: 0o755 });
      for (const name of ['hostname', 'hosts', 'resolv.conf']) await writeFile(join(layer, 'etc', name), '', { mode: 0o644 });
    }
    // In most images /var/run is a link to /run.
    for (const path of [TOKEN, TOKEN.replace('/var', '')]) await mkdir(join(token, path), { recursive: true, mode: 0o755 });
    return new MountPoints(files, token);
  }

  /** The one for a container. */
  for(config: ContainerConfig): string {
    return config.mounts.some(({ containerPath }) => containerPath === TOKEN) ? this.token : this.files;
  }
}
