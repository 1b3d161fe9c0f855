import type { Job, Pod } from '@coxswain/api';

export type FailureVerdict = { readonly action: 'Count' | 'Ignore' | 'FailIndex' } | { readonly action: 'FailJob'; readonly message: string };

const COUNT: FailureVerdict = { action: 'Count' };

/** What the job's podFailurePolicy says of a failed pod: its first rule that matches, else "count it". */
export function failureVerdict(job: Job, pod: Pod): FailureVerdict {
  const rules = job.spec?.podFailurePolicy?.rules ?? [];
  const where = `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
  for (const [i, rule] of rules.entries()) {
    let why: string | undefined;
    if (rule.onExitCodes) {
      const { containerName, operator, values } = rule.onExitCodes;
      const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
      for (const s of statuses) {
        const code = s.state?.terminated?.exitCode;
        if (code === undefined || code === 0 || (containerName && containerName !== s.name)) continue;
        if (operator === 'In' ? values.includes(code) : !values.includes(code)) {
          why = `Container ${s.name} for pod ${where} failed with exit code ${code}`;
          break;
        }
      }
    } else {
      const hit = rule.onPodConditions?.find((p) => pod.status?.conditions?.some((c) => c.type === p.type && c.status === (p.status ?? 'True')));
      if (hit) why = `Pod ${where} has condition ${hit.type}`;
    }
    if (why === undefined) continue;
    if (rule.action === 'FailJob') return { action: 'FailJob', message: `${why} matching FailJob rule at index ${i}` };
    return { action: rule.action as 'Count' | 'Ignore' | 'FailIndex' };
  }
  return COUNT;
}
