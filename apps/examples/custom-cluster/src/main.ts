// A cluster of one's own: everything as `cox up` has it, but for the store.
import { fileURLToPath } from 'node:url';
import { type ClusterSpec, componentKubeconfig, type RunningCluster, runCluster, tablePrefix } from '@coxswain/cluster';
import { cniBridge } from '@coxswain/cni-bridge';
import { componentCommand, componentMain, wholeNumber } from '@coxswain/command';
import { containerdComponent, criContainerd } from '@coxswain/cri-containerd';
import { dnsAddon } from '@coxswain/dns';
import { proxyNftables } from '@coxswain/proxy-nftables';
import { use } from '@coxswain/sdk';
import { memoryStore } from './memory-store.js';

export function customCluster(spec: ClusterSpec): Promise<RunningCluster> {
  return runCluster({
    spec,
    plugins: (config) => [
      use(memoryStore),
      use(cniBridge, { tablePrefix: 'coxswain-', dataDir: config.paths.ipam }),
      use(criContainerd, {
        endpoint: `unix://${config.paths.criSocket}`,
        containerdSocket: config.paths.containerdSocket,
        containerdRoot: config.paths.containerdRoot,
        root: config.paths.cri,
        state: config.paths.criRun,
        cniConfDir: config.paths.cniConf,
      }),
      use(proxyNftables, { table: `${tablePrefix(config)}-proxy`, nodeName: config.nodeName, nodeIPs: [config.nodeIP], clusterCIDRs: [config.podCIDR] }),
      use(dnsAddon, { kubeconfig: componentKubeconfig(config, 'dns'), port: config.ports.dns, metricsPort: config.ports.dnsHealth }),
    ],
    daemons: ({ paths }) => [
      containerdComponent({ root: paths.containerdRoot, state: paths.containerdState, socket: paths.containerdSocket, criState: paths.criRun }),
    ],
  });
}

const command = componentCommand('custom-cluster', 'boots a cluster that keeps its state in memory, and prints its kubeconfig')
  .option('--index <number>', 'which of the clusters of this machine it is: its networks and ports', wholeNumber, 6)
  .action(async ({ index }) => {
    await using cluster = await customCluster({ name: 'custom', index });
    console.log(cluster.kubeconfig);
    console.error(`node ${cluster.config.nodeName} is Ready; Ctrl-C ends the cluster`);
    await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) await componentMain(command, new URL('../package.json', import.meta.url));
