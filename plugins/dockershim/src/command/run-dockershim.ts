import { cniBridge } from '@coxswain/cni-bridge';
import { CliError, criServerConfig, type CriServerFlags } from '@coxswain/command';
import { runCriServer } from '@coxswain/command/run';
import { use } from '@coxswain/sdk';
import { dockershim } from '../index.js';

export interface DockershimFlags extends CriServerFlags {
  readonly dockerEndpoint: string;
}

export function runDockershim(flags: DockershimFlags): Promise<void> {
  const [, engineSocket] = /^(?:unix:\/\/)?(\/.+)$/.exec(flags.dockerEndpoint) ?? [];
  if (engineSocket === undefined)
    throw new CliError(`--docker-endpoint ${flags.dockerEndpoint} is no unix socket`, 'give a path such as unix:///var/run/docker.sock', 2);
  return runCriServer('dockershim', flags.logLevel, [use(cniBridge), use(dockershim, { ...criServerConfig(flags), engineSocket })]);
}
