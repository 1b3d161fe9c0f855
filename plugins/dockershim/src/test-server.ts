import { startDockershim } from './server.js';

// A server in a process of its own, for tests that kill it.
await startDockershim(JSON.parse(process.argv[2] as string));
console.log('ready');
setInterval(() => {}, 1 << 30);
