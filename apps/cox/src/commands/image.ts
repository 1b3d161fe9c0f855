import { createReadStream, existsSync } from 'node:fs';
import { connectCri } from '@coxswain/cri';
import { importImage } from '@coxswain/cri-containerd';
import { CliError } from '../cli-error.js';
import { requireCluster } from '../cluster/clusters.js';
import { runningRoles } from '../cluster/processes.js';
import { table } from '../ui/table.js';

interface ImageOptions {
  readonly name: string;
}

function requireRunning(name: string, role: 'containerd' | 'node') {
  const config = requireCluster(name);
  if (!runningRoles(config).has(role)) throw new CliError(`cluster "${name}" is not running`, `start it with: cox up --name ${name}`);
  return config;
}

/** `cox image load FILE`: a docker-save or OCI archive into the node's image store. */
export async function imageLoad(file: string, options: ImageOptions): Promise<void> {
  if (!existsSync(file)) throw new CliError(`${file} does not exist`, 'give the path of a docker-save or OCI archive');
  const config = requireRunning(options.name, 'containerd');
  try {
    const names = await importImage(config.paths.containerdSocket, createReadStream(file));
    for (const name of names) console.log(`loaded ${name}`);
  } catch (error) {
    throw new CliError(`${file} could not be loaded: ${(error as Error).message}`, undefined, 1, { cause: error });
  }
}

/** `cox image list`, asked over CRI, so that it is what the kubelet sees. */
export async function imageList(options: ImageOptions): Promise<void> {
  const config = requireRunning(options.name, 'node');
  const cri = connectCri({ endpoint: `unix://${config.paths.criSocket}` });
  try {
    const { images } = await cri.image.listImages({});
    const rows = images.flatMap((image) => {
      const id = image.id.replace(/^sha256:/, '').slice(0, 12);
      const size = `${(Number(image.size) / 1024 / 1024).toFixed(1)} MiB`;
      const names = image.repoTags.length > 0 ? image.repoTags : image.repoDigests;
      return (names.length > 0 ? names : ['<none>']).map((name) => [name, id, size]);
    });
    console.log(table(['IMAGE', 'ID', 'SIZE'], rows));
  } finally {
    await cri.close();
  }
}
