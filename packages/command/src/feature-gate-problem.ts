import { kubernetesFeatureGates } from './feature-gates-1.36.js';

export const UNRECOGNIZED = 'unrecognized feature gate';

/** Why a feature gate cannot be set to a value; undefined when that is what it is here. */
export function featureGateProblem(gate: string, asked: unknown, gates: Readonly<Record<string, boolean>> = kubernetesFeatureGates): string | undefined {
  // Upstream sets every beta gate with it, one way or the other; here they differ.
  if (gate === 'AllBeta') return 'cannot be set: beta gates each have a value of their own here';
  // A name that a user chose may be anything: `constructor`.
  if (!Object.hasOwn(gates, gate)) return UNRECOGNIZED;
  if (typeof asked !== 'boolean') return 'must be true or false';
  return asked === gates[gate] ? undefined : `cannot be set to ${asked}: here it is ${gates[gate]}`;
}
