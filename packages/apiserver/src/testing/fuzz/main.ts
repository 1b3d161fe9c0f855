// `npm run fuzz -- [seconds] [seed]`: a longer run than the test's.
import { runFuzz } from './run-fuzz.js';

const seconds = Number(process.argv[2] ?? 600);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 32);
console.log(`${seconds} s, seed ${seed}`);
const { cases, statuses, findings, heap } = await runFuzz({ seconds, seed, concurrency: 8 });
for (const finding of findings) console.log(`\n${finding}`);
console.log(
  `\n${cases} cases; answers: ${[...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, n]) => `${n}×${status || 'none'}`)
    .join(', ')}`,
);
console.log(`heap ${heap.map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`).join(' → ')}; ${findings.length} findings`);
process.exit(findings.length === 0 ? 0 : 1);
