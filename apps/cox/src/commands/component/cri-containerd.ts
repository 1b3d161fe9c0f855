import { component } from '@coxswain/host';
import { cniBridge } from '@coxswain/cni-bridge';
import { criContainerd } from '@coxswain/cri-containerd';
import { CriServer, use } from '@coxswain/sdk';
import type { LogLevel } from '../../logger.js';
import { runComponents } from './run-component.js';

export interface CriContainerdFlags {
  readonly listen: string;
  readonly containerdSocket: string;
  readonly containerdRoot: string;
  readonly root: string;
  readonly state: string;
  readonly cniConfDir: string;
  readonly cniBinDirs: string;
  readonly logLevel: LogLevel;
}

export function runCriContainerd(flags: CriContainerdFlags): Promise<void> {
  const server = use(criContainerd, {
    endpoint: flags.listen,
    containerdSocket: flags.containerdSocket,
    containerdRoot: flags.containerdRoot,
    root: flags.root,
    state: flags.state,
    cniConfDir: flags.cniConfDir,
    cniBinDirs: flags.cniBinDirs.split(','),
  });
  return runComponents('cri-containerd', flags.logLevel, [component('cri', [CriServer], (cri) => cri)], [use(cniBridge), server]);
}
