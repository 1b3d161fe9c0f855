import { cniBridge } from '@coxswain/cni-bridge';
import { criServerConfig, type CriServerFlags, ociConfig, type OciFlags } from '@coxswain/command';
import { runCriServer } from '@coxswain/command/run';
import { use } from '@coxswain/sdk';
import { criContainerd } from '../index.js';

export interface CriContainerdFlags extends CriServerFlags, OciFlags {
  readonly containerdSocket: string;
  readonly containerdRoot: string;
}

export function runCriContainerd(flags: CriContainerdFlags): Promise<void> {
  const { containerdSocket, containerdRoot, logLevel } = flags;
  const server = use(criContainerd, { ...criServerConfig(flags), ...ociConfig(flags), containerdSocket, containerdRoot });
  return runCriServer('cri-containerd', logLevel, [use(cniBridge), server]);
}
