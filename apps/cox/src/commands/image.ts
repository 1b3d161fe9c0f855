import { createReadStream, existsSync } from 'node:fs';
import type { ClusterConfig } from '@coxswain/cluster';
import { connectCri } from '@coxswain/cri';
import { CliError } from '../cli-error.js';
import { requireCluster } from '../cluster/clusters.js';
import { runningRoles } from '../cluster/processes.js';
import { runtimeOf } from '../runtimes/registry.js';
import { table } from '../ui/table.js';

interface ImageOptions {
  readonly name: string;
}

function requireRunning(config: ClusterConfig, role: string): void {
  if (runningRoles(config).has(role)) return;
  throw new CliError(`cluster "${config.name}" is not running`, `start it with: cox up --name ${config.name}`);
}

/** `cox image load FILE`: a docker-save or OCI archive into the node's image store. */
export async function imageLoad(file: string, options: ImageOptions): Promise<void> {
  if (!existsSync(file)) throw new CliError(`${file} does not exist`, 'give the path of a docker-save or OCI archive');
  const config = requireCluster(options.name);
  const runtime = runtimeOf(config);
  if (runtime.importsThrough !== undefined) requireRunning(config, runtime.importsThrough);
  try {
    const names = await runtime.importImage(config, createReadStream(file));
    for (const name of names) console.log(`loaded ${name}`);
  } catch (error) {
    throw new CliError(`${file} could not be loaded: ${(error as Error).message}`, undefined, 1, { cause: error });
  }
}

/** `cox image list`, asked over CRI, so that it is what the kubelet sees. */
export async function imageList(options: ImageOptions): Promise<void> {
  const config = requireCluster(options.name);
  requireRunning(config, 'node');
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
