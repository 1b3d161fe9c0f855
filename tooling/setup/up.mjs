// `npm run up`: from a fresh machine to a running cluster.
import { dirname } from 'node:path';
import { kubectl, unpackClients } from './clients.mjs';
import { checkMachine, installDependencies, installPackages, turbo } from './machine.mjs';
import { must, output, root, step } from './run.mjs';

checkMachine();
step('checking the machine');
installPackages();
installDependencies();
step('building');
must('the build', ...turbo('generate'));
must('the build', 'node', ['apps/cox/scripts/bundle.mjs']);
step('booting the cluster');
must('cox up', process.execPath, [`${root}/apps/cox/dist/cox.mjs`, 'up', ...process.argv.slice(2)]);

if (output('sh', ['-c', 'command -v kubectl']) === undefined) {
  unpackClients();
  console.log(`no kubectl is on the PATH; there is one, and Helm, in ${dirname(kubectl)}:\n\n  export PATH=$PATH:${dirname(kubectl)}\n`);
}
