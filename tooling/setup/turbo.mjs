// `node tooling/setup/turbo.mjs TASK…`: run tasks of turbo.json on a machine that may have no package manager on its PATH.
import { turbo } from './machine.mjs';
import { must } from './run.mjs';

must('turbo', ...turbo(...process.argv.slice(2)));
