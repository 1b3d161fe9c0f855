import type { Container } from '../generated/types.js';

/** Whether one of the container's own rules says that it starts again after this exit code. */
export const restartsByRule = ({ restartPolicyRules }: Pick<Container, 'restartPolicyRules'>, exitCode: number): boolean =>
  (restartPolicyRules ?? []).some(({ exitCodes }) => {
    if (!exitCodes) return false;
    const listed = (exitCodes.values ?? []).includes(exitCode);
    return exitCodes.operator === 'In' ? listed : !listed;
  });

/** Whether a container, no init container, starts again after it ended: by its rules, else by its own policy, else by the pod's. */
export function restartsAfterExit(container: Pick<Container, 'restartPolicy' | 'restartPolicyRules'>, ofPod: string | undefined, exitCode: number): boolean {
  if (restartsByRule(container, exitCode)) return true;
  const policy = container.restartPolicy ?? ofPod ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}
