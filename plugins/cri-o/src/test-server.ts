import { type CrioOptions, startCrio } from './server.js';

// A CRI server in a process of its own, for tests that kill it. Options come as JSON; says "ready" once it serves.
const options = JSON.parse(process.argv[2] ?? '') as CrioOptions;
await startCrio(options);
console.log('ready');
