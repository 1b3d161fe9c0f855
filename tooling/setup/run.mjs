// Plain Node, no dependencies: this runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const started = performance.now();

/** Say what happens next, with the time since the start. */
export function step(text) {
  console.log(`[${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s] ${text}`);
}

/** Run a command in the repository; its output passes through. Returns whether it succeeded. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options, env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...options.env } });
  if (result.error) throw result.error;
  return result.status === 0;
}

/** Like `run`, but ends the script with a clear message when it fails. */
export function must(what, command, args, options) {
  if (!run(command, args, options)) fail(`${what} failed: ${command} ${args.join(' ')}`);
}

export function output(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? result.stdout : undefined;
}

export function fail(message) {
  console.error(`\nerror: ${message}`);
  process.exit(1);
}
