import { stateRoot } from '@coxswain/cluster';
import { CliError } from '../cli-error.js';
import { type CheckResult, checkCgroups, checkContainerd, checkDisk, checkLinux, checkNft, checkOverlay, checkRoot, checkRunc } from '../preflight/checks.js';

/** Everything a cluster needs of the machine, apart from ports. */
export async function machineChecks(): Promise<CheckResult[]> {
  const basic = [checkLinux(), checkRoot()];
  if (basic.some((c) => !c.ok)) return basic;
  return [...basic, checkContainerd(), checkRunc(), checkNft(), checkCgroups(), checkOverlay(), await checkDisk(stateRoot())];
}

/** Throws one error that names every problem and its fix. */
export function requireAll(results: readonly CheckResult[]): void {
  const bad = results.filter((r) => !r.ok && r.fatal);
  if (bad.length === 0) return;
  throw new CliError(bad.map((r) => (r.ok ? '' : `${r.problem}\n  → ${r.fix}`)).join('\n'));
}

/** `cox doctor`: look, tell, change nothing. */
export async function doctor(): Promise<void> {
  const results = await machineChecks();
  for (const r of results) {
    console.log(r.ok ? `✓ ${r.name}: ${r.detail}` : `✗ ${r.name}: ${r.problem}\n  → ${r.fix}`);
  }
  const bad = results.filter((r) => !r.ok).length;
  if (bad > 0) throw new CliError(`${bad} of ${results.length} checks failed`);
  console.log('this machine can run a cluster');
}
