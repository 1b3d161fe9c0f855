import { featureGateProblem } from '@coxswain/command';
import type { Field } from '../kubelet-settings.js';
import { named, record } from '../takes.js';

/** Gates that are set to what they are here are taken. */
export const featureGatesField: Field = (value) => {
  for (const [gate, asked] of Object.entries(record(value))) {
    named(gate, () => {
      const problem = featureGateProblem(gate, asked);
      if (problem !== undefined) throw new TypeError(problem);
    });
  }
  return {};
};
