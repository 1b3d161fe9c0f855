import type { NamespaceCondition } from '@coxswain/api';
import { formatTime } from '@coxswain/apimachinery';
import { withCondition } from '../runtime/conditions.js';

/** What a round of deleting a namespace's content found. */
export interface ContentReport {
  readonly discoveryFailures: readonly string[];
  readonly deletionFailures: readonly string[];
  /** `pods.` → how many are left. */
  readonly remaining: ReadonlyMap<string, number>;
  /** Finalizer → how many objects carry it. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/** The five conditions of a terminating namespace, with upstream's reasons and texts. Good ones are written only over bad ones. */
export function namespaceConditions(before: readonly NamespaceCondition[] | undefined, report: ContentReport, now: number): NamespaceCondition[] {
  let conditions = [...(before ?? [])];
  const set = (type: string, bad: { reason: string; message: string } | undefined, good: { reason: string; message: string }) => {
    if (!bad && !conditions.some((c) => c.type === type) && conditions.length === 0 && !anythingBad(report)) return;
    conditions = withCondition(conditions, { type, status: bad ? 'True' : 'False', ...(bad ?? good) }, formatTime(now));
  };
  const list = (counts: ReadonlyMap<string, number>, join: (k: string, n: number) => string) =>
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, n]) => join(k, n))
      .join(', ');
  set(
    'NamespaceDeletionDiscoveryFailure',
    report.discoveryFailures.length > 0
      ? {
          reason: 'DiscoveryFailed',
          message: `Discovery failed for some groups, ${report.discoveryFailures.length} failing: unable to retrieve the complete list of server APIs: ${report.discoveryFailures.join(', ')}`,
        }
      : undefined,
    { reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' },
  );
  set('NamespaceDeletionGroupVersionParsingFailure', undefined, { reason: 'ParsedGroupVersions', message: 'All legacy kube types successfully parsed' });
  set(
    'NamespaceDeletionContentFailure',
    report.deletionFailures.length > 0
      ? {
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${report.deletionFailures.length} remaining: ${report.deletionFailures.join(', ')}`,
        }
      : undefined,
    { reason: 'ContentDeleted', message: 'All content successfully deleted, may be waiting on finalization' },
  );
  set(
    'NamespaceContentRemaining',
    report.remaining.size > 0
      ? { reason: 'SomeResourcesRemain', message: `Some resources are remaining: ${list(report.remaining, (r, n) => `${r} has ${n} resource instances`)}` }
      : undefined,
    { reason: 'ContentRemoved', message: 'All content successfully removed' },
  );
  set(
    'NamespaceFinalizersRemaining',
    report.finalizers.size > 0
      ? {
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${list(report.finalizers, (f, n) => `${f} in ${n} resource instances`)}`,
        }
      : undefined,
    { reason: 'ContentHasNoFinalizers', message: 'All content-preserving finalizers finished' },
  );
  return conditions;
}

const anythingBad = (r: ContentReport): boolean => r.discoveryFailures.length + r.deletionFailures.length + r.remaining.size + r.finalizers.size > 0;
