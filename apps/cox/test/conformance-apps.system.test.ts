import { checks as jobs } from './conformance/jobs.js';
import { conformanceSuite } from './conformance/run-suite.js';
import { checks as scheduling } from './conformance/scheduling.js';
import { checks as workloads } from './conformance/workloads.js';
import { checks as controllers } from './conformance/controllers.js';

// What waits for the clock begins first.
const byPatience = [...jobs].sort((a, b) => Number(b.name.startsWith('CronJob')) - Number(a.name.startsWith('CronJob')));

conformanceSuite('apps', [...byPatience, ...workloads, ...controllers, ...scheduling]);
