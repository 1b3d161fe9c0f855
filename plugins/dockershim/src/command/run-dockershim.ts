import { CliError, type LogLevel } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { component } from '@coxswain/host';
import { cniBridge } from '@coxswain/cni-bridge';
import { dockershim } from '../index.js';
import { CriServer, use } from '@coxswain/sdk';

export interface DockershimFlags {
  readonly listen: string;
  readonly dockerEndpoint: string;
  readonly root: string;
  readonly state: string;
  readonly cniConfDir: string;
  readonly cniBinDirs: string;
  readonly logLevel: LogLevel;
}

export function runDockershim(flags: DockershimFlags): Promise<void> {
  const [, engineSocket] = /^(?:unix:\/\/)?(\/.+)$/.exec(flags.dockerEndpoint) ?? [];
  if (engineSocket === undefined)
    throw new CliError(`--docker-endpoint ${flags.dockerEndpoint} is no unix socket`, 'give a path such as unix:///var/run/docker.sock', 2);
  const server = use(dockershim, {
    endpoint: flags.listen,
    engineSocket,
    root: flags.root,
    state: flags.state,
    cniConfDir: flags.cniConfDir,
    cniBinDirs: flags.cniBinDirs.split(','),
  });
  return runComponents('dockershim', flags.logLevel, [component('cri', [CriServer], (cri) => cri)], [use(cniBridge), server]);
}
