// `npm run up`: from a fresh machine to a running cluster.
import { checkMachine, installDependencies, installPackages } from './machine.mjs';
import { must, root, step } from './run.mjs';

checkMachine();
step('checking the machine');
installPackages();
installDependencies();
step('building');
must('the build', 'npx', ['turbo', 'run', 'generate', '--output-logs=errors-only']);
must('the build', 'node', ['apps/cox/scripts/bundle.mjs']);
step('booting the cluster');
must('cox up', process.execPath, [`${root}/apps/cox/dist/cox.mjs`, 'up', ...process.argv.slice(2)]);
