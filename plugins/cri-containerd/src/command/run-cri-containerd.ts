import type { LogLevel } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { component } from '@coxswain/host';
import { cniBridge } from '@coxswain/cni-bridge';
import { criContainerd } from '../index.js';
import { CriServer, use } from '@coxswain/sdk';

export interface CriContainerdFlags {
  readonly listen: string;
  readonly containerdSocket: string;
  readonly containerdRoot: string;
  readonly root: string;
  readonly state: string;
  readonly runtimes?: string;
  readonly cniConfDir: string;
  readonly cniBinDirs: string;
  readonly insecureRegistries?: string;
  readonly registryMirrors?: string;
  readonly logLevel: LogLevel;
}

export function runCriContainerd(flags: CriContainerdFlags): Promise<void> {
  const server = use(criContainerd, {
    endpoint: flags.listen,
    containerdSocket: flags.containerdSocket,
    containerdRoot: flags.containerdRoot,
    root: flags.root,
    state: flags.state,
    ...(flags.runtimes === undefined ? {} : { runtimes: flags.runtimes.split(',') }),
    cniConfDir: flags.cniConfDir,
    cniBinDirs: flags.cniBinDirs.split(','),
    insecureRegistries: flags.insecureRegistries?.split(',') ?? [],
    registryMirrors: flags.registryMirrors?.split(',') ?? [],
  });
  return runComponents('cri-containerd', flags.logLevel, [component('cri', [CriServer], (cri) => cri)], [use(cniBridge), server]);
}
