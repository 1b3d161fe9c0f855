import { parseArgs } from 'node:util';
import { ClusterFixture } from '../cluster-fixture.js';
import { chaos } from './chaos.js';

// npm run chaos -- [--runtime NAME] [--control-planes N] [--seed N] [--rounds N] [--only REGEXP] [--keep] [-- OPTIONS OF COX UP]: see docs/testing.md.
const { values, positionals } = parseArgs({
  options: {
    runtime: { type: 'string' },
    'control-planes': { type: 'string' },
    seed: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'boolean' },
  },
  allowPositionals: true,
});
const seed = Number(values.seed ?? Date.now() % 100_000);
const rounds = Number(values.rounds ?? 30);
const up = [...(['runtime', 'control-planes'] as const).flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]])), ...positionals];
const keep = values.keep ?? false;
const cluster = new ClusterFixture('chaos-run');
const say = (text: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
say(`seed ${seed}, ${rounds} rounds, in ${cluster.folder}`);
let found: string[];
try {
  found = await chaos(cluster, { seed, rounds, up, keep, say, ...(values.only !== undefined && { only: new RegExp(values.only) }) });
} catch (error) {
  found = [(error as Error).stack ?? String(error)];
}
say(found.length === 0 ? 'nothing is wrong' : `wrong:\n${found.join('\n')}`);
if (found.length === 0 || !keep) await cluster[Symbol.asyncDispose]();
process.exit(found.length === 0 ? 0 : 1);
