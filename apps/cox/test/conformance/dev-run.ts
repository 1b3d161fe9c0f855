// node --import tsx apps/cox/test/conformance/dev-run.ts FILE… [--only TEXT]: run checks against the cluster that KUBECONFIG names.
import { fileURLToPath } from 'node:url';
import { ApiAccess } from './api-access.js';
import { type Check, runCheck } from './check.js';

const args = process.argv.slice(2);
const at = args.indexOf('--only');
const only = at === -1 ? '' : (args.splice(at, 2)[1] ?? '');
const access = {
  api: new ApiAccess(process.env['KUBECONFIG'] ?? ''),
  kubectlProgram: fileURLToPath(new URL('../../../../.cache/bin/kubectl', import.meta.url)),
  env: {},
};
const checks: Check[] = [];
for (const file of args) {
  const module = (await import(`./${file}.js`)) as { checks: Check[] };
  checks.push(...module.checks.filter((c) => c.name.includes(only)));
}
let failed = 0;
const one = async (check: Check) => {
  const start = performance.now();
  const failure = await runCheck(access, check).then(
    () => undefined,
    (error: Error) => error,
  );
  if (failure) failed++;
  console.log(
    `${failure ? 'FAIL' : 'ok  '} ${((performance.now() - start) / 1000).toFixed(1)}s ${check.name}${failure ? `\n       ${failure.message.slice(0, 1800)}` : ''}`,
  );
};
const queue = checks.filter((c) => !c.serial);
await Promise.all(
  Array.from({ length: 6 }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await one(next);
  }),
);
for (const check of checks.filter((c) => c.serial)) await one(check);
access.api[Symbol.dispose]();
console.log(`${checks.length - failed} of ${checks.length} ok`);
