import { parseBoolean } from '@coxswain/apimachinery';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { featureGateProblem, UNRECOGNIZED } from './feature-gate-problem.js';
import { list } from './option-values.js';

/**
 * A flag of upstream's with one answer here. Values that ask for what is done anyway are taken, so that command lines written for upstream's
 * binary work; any other is refused with the reason. Nothing is taken and then ignored, but what upstream itself ignores.
 */
export interface SettledFlag {
  /** Texts that ask for what is done anyway, or their pattern. `any`: the flag has no effect in upstream either. */
  readonly takes: readonly string[] | RegExp | 'any';
  /** What is done, for `--help` and for whoever asks for something else. */
  readonly because: string;
}

/** Add upstream's flags with one answer to a component's command, in a group of their own in its help. */
export function addSettledFlags(command: Command, flags: Readonly<Record<string, SettledFlag>>): void {
  for (const [name, flag] of Object.entries(flags)) command.addOption(settledFlag(name, flag));
}

function settledFlag(name: string, { takes, because }: SettledFlag): Option {
  return new Option(`--${name} [value]`, because)
    .preset('true')
    .argParser((text: string) => {
      if (takes === 'any' || (takes instanceof RegExp ? takes.test(text) : takes.includes(text) || takes.includes(String(parseBoolean(text))))) return text;
      throw new InvalidArgumentError(takes instanceof RegExp ? `${because}.` : `${because} (takes ${takes.map((each) => each || "''").join(' or ')}).`);
    })
    .helpGroup("Upstream's flags with one answer here:");
}

/** What the gates of a Kubernetes release are set to here, by name. */
export type FeatureGates = Readonly<Record<string, boolean>>;

/**
 * `--feature-gates=A=true,B=false`: a gate that is set to what it is here is taken; another value and an unknown gate are refused, the latter
 * as upstream refuses it.
 */
export function featureGates(gates: FeatureGates): Option {
  return new Option('--feature-gates <gates>', 'gates of this Kubernetes, a=true,b=false; each has one value here')
    .argParser((text: string, before: FeatureGates = {}) => ({ ...before, ...checkFeatureGates(gates, text) }))
    .helpGroup("Upstream's flags with one answer here:");
}

function checkFeatureGates(gates: FeatureGates, text: string): FeatureGates {
  return Object.fromEntries(
    list(text).map((pair) => {
      const [name = '', text = ''] = pair.split('=');
      const value = parseBoolean(text.trim());
      if (value === undefined) throw new InvalidArgumentError(`${JSON.stringify(pair)} is not gate=true or gate=false.`);
      const problem = featureGateProblem(name, value, gates);
      // As upstream words it.
      if (problem === UNRECOGNIZED) throw new InvalidArgumentError(`${problem}: ${name}.`);
      if (problem !== undefined) throw new InvalidArgumentError(`feature gate ${name} ${problem}.`);
      return [name, value];
    }),
  );
}
