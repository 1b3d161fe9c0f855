import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfigYaml } from '@coxswain/pki';
import { CliError } from '@coxswain/command';
import { requireCluster } from '../cluster/clusters.js';
import { adminEntry, contextName, mergeKubeconfig } from '../cluster/kubeconfig.js';

export interface KubeconfigOptions {
  readonly name: string;
  readonly merge: boolean;
}

/** `cox kubeconfig`: to standard output, or into the user's file. */
export async function kubeconfig(options: KubeconfigOptions): Promise<void> {
  const config = requireCluster(options.name);
  if (!existsSync(join(config.paths.pki, 'admin.crt')))
    throw new CliError(`cluster "${options.name}" has no certificates yet`, `start it with: cox up --name ${options.name}`);
  if (options.merge) console.log(`context ${contextName(config)} is current in ${mergeKubeconfig(config)}`);
  else process.stdout.write(kubeconfigYaml(adminEntry(config)));
}
