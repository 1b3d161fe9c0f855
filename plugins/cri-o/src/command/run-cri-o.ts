import { cniBridge } from '@coxswain/cni-bridge';
import { criServerConfig, type CriServerFlags, ociConfig, type OciFlags } from '@coxswain/command';
import { runCriServer } from '@coxswain/command/run';
import { use } from '@coxswain/sdk';
import { crio } from '../index.js';

export type CrioFlags = CriServerFlags & OciFlags;

export function runCrio(flags: CrioFlags): Promise<void> {
  return runCriServer('cri-o', flags.logLevel, [use(cniBridge), use(crio, { ...criServerConfig(flags), ...ociConfig(flags) })]);
}
