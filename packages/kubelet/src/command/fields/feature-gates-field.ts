import { kubernetesFeatureGates } from '@coxswain/command';
import type { Field } from '../kubelet-settings.js';
import { boolean, named, record } from '../takes.js';

/** Gates that are set to what they are here are taken. */
export const featureGatesField: Field = (value) => {
  for (const [gate, asked] of Object.entries(record(value))) {
    named(gate, () => {
      const here = Object.hasOwn(kubernetesFeatureGates, gate) ? kubernetesFeatureGates[gate] : undefined;
      if (here === undefined) throw new TypeError('unrecognized feature gate');
      if (boolean(asked) !== here) throw new TypeError(`cannot be set to ${asked as boolean}: here it is ${here}`);
    });
  }
  return {};
};
