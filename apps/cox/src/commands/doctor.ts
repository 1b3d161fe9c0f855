import { runRoot, stateRoot } from '@coxswain/cluster';
import { CliError } from '@coxswain/command';
import { type CheckResult, checkCgroups, checkDisk, checkFlock, checkLinux, checkNft, checkOverlay, checkRoot, checkWritable } from '../preflight/checks.js';
import { AUTO } from '../runtimes/names.js';
import { chooseRuntime, nodeRuntimes } from '../runtimes/registry.js';
import type { NodeRuntime } from '../runtimes/runtime.js';

/** Everything a cluster on this runtime needs of the machine, apart from ports. */
export async function machineChecks(runtime: NodeRuntime): Promise<CheckResult[]> {
  const basic = basicChecks();
  if (basic.some((c) => !c.ok)) return basic;
  return [...basic, ...runtime.checks(), ...(await commonChecks())];
}

/** What makes every further look pointless when it fails. */
export const basicChecks = (): CheckResult[] => [checkLinux(), checkRoot()];

const commonChecks = async (): Promise<CheckResult[]> => [
  checkNft(),
  checkFlock(),
  checkCgroups(),
  checkOverlay(),
  checkWritable(stateRoot(), 'COXSWAIN_STATE_DIR'),
  checkWritable(runRoot(), 'COXSWAIN_RUN_DIR'),
  await checkDisk(stateRoot()),
];

/** Throws one error that names every problem and its fix. */
export function requireAll(results: readonly CheckResult[]): void {
  const bad = results.filter((r) => !r.ok && r.fatal);
  if (bad.length === 0) return;
  throw new CliError(bad.map(problemAndFix).join('\n'));
}

export interface DoctorOptions {
  readonly runtime: string;
}

/** `cox doctor`: look, tell, change nothing. Without a runtime chosen, one of them is enough, and all are told about. */
export async function doctor(options: DoctorOptions): Promise<void> {
  const named = nodeRuntimes.find(({ name }) => name === options.runtime);
  if (named) return tell(await machineChecks(named), named.name);
  const basic = basicChecks();
  if (basic.some((c) => !c.ok)) return tell(basic);
  console.log('container runtimes (cox up --runtime NAME; one is enough):');
  for (const runtime of nodeRuntimes) {
    const lacks = runtime.checks().filter((c) => !c.ok && c.fatal);
    console.log(lacks.length === 0 ? `✓ ${runtime.name}: ${runtime.description}` : `- ${runtime.name}: ${lacks.map(problemAndFix).join('; ')}`);
  }
  const chosen = chooseRuntime(AUTO);
  console.log('');
  tell([...basic, ...chosen.checks(), ...(await commonChecks())], chosen.name);
}

function tell(results: readonly CheckResult[], runtime?: string): void {
  for (const r of results) console.log(r.ok ? `✓ ${r.name}: ${r.detail}` : `✗ ${r.name}: ${problemAndFix(r)}`);
  const bad = results.filter((r) => !r.ok).length;
  if (bad > 0) throw new CliError(`${bad} of ${results.length} checks failed`);
  console.log(`this machine can run a cluster${runtime === undefined ? '' : ` on ${runtime}`}`);
}

function problemAndFix(result: CheckResult): string {
  return result.ok ? '' : `${result.problem}\n  → ${result.fix}`;
}
