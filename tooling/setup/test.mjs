// `npm test`: set up, then every check and every test; the last line is the sum.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackClients } from './clients.mjs';
import { checkMachine, installDependencies, installPackages, turbo } from './machine.mjs';
import { must, root, run, step } from './run.mjs';

const tally = { passed: 0, failed: 0 };
const failures = [];

/** A check counts as one test. */
function check(name, command, args) {
  step(name);
  count(name, run(command, args));
}

function count(name, ok) {
  if (ok) tally.passed += 1;
  else {
    tally.failed += 1;
    failures.push(name);
  }
}

/** Run one vitest project and add up what it reports; a run that dies without a report counts as a failure. */
function vitest(project) {
  step(`${project} tests`);
  const dir = mkdtempSync(join(tmpdir(), 'coxswain-test-'));
  const report = join(dir, 'report.json');
  const ok = run('npx', ['vitest', 'run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    tally.passed += numPassedTests;
    tally.failed += numFailedTests;
    for (const file of testResults) {
      for (const test of file.assertionResults) if (test.status === 'failed') failures.push(`${file.name.slice(root.length)}: ${test.fullName}`);
      // A file that cannot be loaded has no test that could fail.
      if (file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'))
        count(`${file.name.slice(root.length)}: ${file.message}`, false);
    }
    if (!ok && numFailedTests === 0 && testResults.every((f) => f.status !== 'failed')) count(`${project} tests: vitest ended with an error`, false);
  } catch (error) {
    count(`${project} tests: ${error.message}`, false);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

checkMachine();
installPackages({ forTests: true });
installDependencies();
unpackClients();
step('generating sources');
must('generating sources', ...turbo('generate'));

check('lint', 'npx', ['oxlint', '--deny-warnings']);
check('format and lint', 'npx', ['biome', 'check', '--diagnostic-level=error', '.']);
check('import direction', 'npx', ['depcruise', '--config', '.dependency-cruiser.mjs', '--output-type', 'err', 'packages', 'plugins', 'apps']);
check('dead code', 'npx', ['knip', '--no-progress']);
check('workspace consistency', 'npx', ['sherif']);
check('build', ...turbo('build', '--concurrency=2'));
check('types', process.execPath, ['tooling/build/types.mjs', '--publish']);
check('packages', process.execPath, ['tooling/setup/check-packages.mjs']);
check('examples of READMEs', process.execPath, ['tooling/setup/check-readmes.mjs']);
vitest('unit');
check('the cox bundle', process.execPath, ['apps/cox/scripts/bundle.mjs']);
vitest('system');

for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);
