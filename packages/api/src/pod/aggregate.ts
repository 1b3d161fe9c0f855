import type { Container, PodSpec } from '../generated/types.js';
import { addQuantities, compareQuantities } from '../quantity/arithmetic.js';
import { own } from '../util/own.js';

const add = (a: string | undefined, b: string | undefined) => (a === undefined || b === undefined ? (a ?? b) : addQuantities(a, b));
const larger = (a: string | undefined, b: string | undefined) => (a === undefined || b === undefined ? (a ?? b) : compareQuantities(a, b) < 0 ? b : a);

/** What the containers ask for at most at one time: all that stay, or while one of the others starts the pod. Undefined: nothing. */
export function aggregateOf(spec: PodSpec, which: 'requests' | 'limits', name: string): string | undefined {
  const amount = ({ resources }: Container) => own(resources?.[which], name);
  let sidecars: string | undefined;
  let peak: string | undefined;
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') sidecars = add(sidecars, amount(container));
    peak = larger(peak, container.restartPolicy === 'Always' ? sidecars : add(sidecars, amount(container)));
  }
  return larger((spec.containers ?? []).map(amount).reduce(add, sidecars), peak);
}
