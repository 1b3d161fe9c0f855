import { createReadStream, statSync } from 'node:fs';
import { type ClusterConfig, nodeViews } from '@coxswain/cluster';
import { connectCri } from '@coxswain/cri';
import { CliError } from '@coxswain/command';
import { requireCluster } from '../cluster/clusters.js';
import { running } from '../cluster/processes.js';
import { runtimeOf } from '../runtimes/registry.js';
import { table } from '../ui/table.js';

interface ImageOptions {
  readonly name: string;
  /** Absent: every node. */
  readonly node?: string;
}

/** The nodes asked for; each must have the process that is to be asked. */
function chosenNodes(config: ClusterConfig, only: string | undefined): readonly ClusterConfig[] {
  const nodes = nodeViews(config).filter(({ nodeName }) => only === undefined || nodeName === only);
  if (nodes.length > 0) return nodes;
  throw new CliError(
    `cluster "${config.name}" has no node "${only}"`,
    `it has: ${nodeViews(config)
      .map(({ nodeName }) => nodeName)
      .join(', ')}`,
    2,
  );
}

function requireRunning(config: ClusterConfig, role: string): void {
  if (running(config, role)) return;
  throw new CliError(`cluster "${config.name}" is not running`, `start it with: cox up --name ${config.name}`);
}

/** `cox image load FILE`: a docker-save or OCI archive into the image store of every node, or of one. */
export async function imageLoad(file: string, options: ImageOptions): Promise<void> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found || found.isDirectory()) throw new CliError(`${file} ${found ? 'is a folder' : 'does not exist'}`, 'give the path of a docker-save or OCI archive');
  const nodes = chosenNodes(requireCluster(options.name), options.node);
  for (const { importsThrough, view } of nodes.map((node) => ({ ...runtimeOf(node), view: node }))) {
    if (importsThrough !== undefined) requireRunning(view, importsThrough);
  }
  for (const view of nodes) {
    try {
      const names = await runtimeOf(view).importImage(view, createReadStream(file));
      for (const name of names) console.log(`loaded ${name}${view.host ? ` on ${view.host.name}` : ''}`);
    } catch (error) {
      throw new CliError(`${file} could not be loaded: ${(error as Error).message}`, undefined, 1, { cause: error });
    }
  }
}

/** `cox image list`, asked over CRI, so that it is what the kubelet sees. */
export async function imageList(options: ImageOptions): Promise<void> {
  const nodes = chosenNodes(requireCluster(options.name), options.node);
  for (const view of nodes) requireRunning(view, 'node');
  const several = nodes.some(({ host }) => host);
  const rows: string[][] = [];
  for (const view of nodes) rows.push(...(await imagesOf(view)).map((row) => (several ? [view.nodeName, ...row] : row)));
  console.log(table([...(several ? ['NODE'] : []), 'IMAGE', 'ID', 'SIZE'], rows));
}

async function imagesOf(view: ClusterConfig): Promise<string[][]> {
  const cri = connectCri({ endpoint: `unix://${view.paths.criSocket}` });
  try {
    const { images } = await cri.image.listImages({});
    return images.flatMap((image) => {
      const id = image.id.replace(/^sha256:/, '').slice(0, 12);
      const size = `${(Number(image.size) / 1024 / 1024).toFixed(1)} MiB`;
      const names = image.repoTags.length > 0 ? image.repoTags : image.repoDigests;
      return (names.length > 0 ? names : ['<none>']).map((name) => [name, id, size]);
    });
  } finally {
    await cri.close();
  }
}
