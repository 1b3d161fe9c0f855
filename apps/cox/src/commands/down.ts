import { unmergeKubeconfig } from '../cluster/kubeconfig.js';
import { requireCluster } from '../cluster/clusters.js';
import { changing } from '../cluster/one-at-a-time.js';
import { purge, teardownSteps } from '../teardown/teardown.js';
import { Steps } from '../ui/steps.js';

export interface DownOptions {
  readonly name: string;
  readonly purge: boolean;
}

/** `cox down`: leaves no process, mount, namespace, link, rule or socket. The data stays for the next `up`, unless purged. */
export function down(options: DownOptions): Promise<void> {
  return changing(options.name, 'down', () => takeDown(options));
}

async function takeDown(options: DownOptions): Promise<void> {
  const config = requireCluster(options.name);
  const steps = new Steps();
  for (const step of teardownSteps(config)) await steps.run(step.title, () => step.run());
  // Somebody else's file: what is wrong with it keeps nothing of the cluster.
  const kubeconfig = await Promise.allSettled([steps.run('removing the kubeconfig context', async () => unmergeKubeconfig(config))]);
  if (options.purge) await steps.run('removing the data', () => purge(config));
  for (const each of kubeconfig) if (each.status === 'rejected') throw each.reason;
  steps.done(
    options.purge
      ? `cluster "${options.name}" is gone`
      : `cluster "${options.name}" is down; its data is kept in ${config.paths.state} (remove it with: cox down --name ${options.name} --purge)`,
  );
}
