import type { Taint, Toleration } from '@coxswain/api';

/** Whether one toleration covers the taint (API conventions of `spec.tolerations`). */
export function tolerates(toleration: Toleration, taint: Pick<Taint, 'key' | 'value' | 'effect'>): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator || 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
      return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '');
    case 'Lt':
    case 'Gt': {
      const bound = Number.parseInt(toleration.value ?? '', 10);
      const value = Number.parseInt(taint.value ?? '', 10);
      if (Number.isNaN(bound) || Number.isNaN(value)) return false;
      return toleration.operator === 'Lt' ? value < bound : value > bound;
    }
    default:
      return false;
  }
}

export const toleratesAny = (tolerations: readonly Toleration[] | undefined, taint: Pick<Taint, 'key' | 'value' | 'effect'>): boolean =>
  tolerations?.some((t) => tolerates(t, taint)) ?? false;
