import type { LogLevel } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { component } from '@coxswain/host';
import { cniBridge } from '@coxswain/cni-bridge';
import { crio } from '../index.js';
import { CriServer, use } from '@coxswain/sdk';

export interface CrioFlags {
  readonly listen: string;
  readonly root: string;
  readonly state: string;
  readonly runtimes?: string;
  readonly cniConfDir: string;
  readonly cniBinDirs: string;
  readonly insecureRegistries?: string;
  readonly registryMirrors?: string;
  readonly logLevel: LogLevel;
}

export function runCrio(flags: CrioFlags): Promise<void> {
  const server = use(crio, {
    endpoint: flags.listen,
    root: flags.root,
    state: flags.state,
    cniConfDir: flags.cniConfDir,
    cniBinDirs: flags.cniBinDirs.split(','),
    insecureRegistries: flags.insecureRegistries?.split(',') ?? [],
    registryMirrors: flags.registryMirrors?.split(',') ?? [],
    ...(flags.runtimes === undefined ? {} : { runtimes: flags.runtimes.split(',') }),
  });
  return runComponents('cri-o', flags.logLevel, [component('cri', [CriServer], (cri) => cri)], [use(cniBridge), server]);
}
