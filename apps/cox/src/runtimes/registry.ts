import type { ClusterConfig } from '@coxswain/cluster';
import { CliError } from '@coxswain/command';
import { containerdRuntime } from './containerd.js';
import { crioRuntime } from './crio.js';
import { dockerRuntime } from './docker.js';
import type { NodeRuntime } from './runtime.js';
import { simRuntime } from './sim.js';

/** Every runtime `cox` knows. A further one is a file beside these and an entry here. */
export const nodeRuntimes: readonly NodeRuntime[] = [containerdRuntime, dockerRuntime, crioRuntime, simRuntime];

/** `--runtime auto` takes the first of these that the machine has; why in this order: docs/adr/0008. */
const automatic: readonly NodeRuntime[] = [crioRuntime, containerdRuntime, dockerRuntime];

/** The runtime a cluster was made with. */
export function runtimeOf(config: Pick<ClusterConfig, 'name' | 'runtime' | 'paths'>): NodeRuntime {
  const found = nodeRuntimes.find(({ name }) => name === config.runtime);
  if (found) return found;
  throw new CliError(
    `cluster "${config.name}" was made with the runtime "${config.runtime}", which this cox does not know`,
    `it knows: ${nodeRuntimes.map(({ name }) => name).join(', ')} (${config.paths.config})`,
  );
}

/** What `--runtime` names, or the first that this machine has. Throws an error that says for each one tried what it lacks. */
export function chooseRuntime(wanted: string): NodeRuntime {
  const named = nodeRuntimes.find(({ name }) => name === wanted);
  if (named) return named;
  const lacking: string[] = [];
  for (const runtime of automatic) {
    const bad = runtime.checks().filter((c) => !c.ok && c.fatal);
    if (bad.length === 0) return runtime;
    lacking.push(...bad.map((c) => (c.ok ? '' : `${runtime.name}: ${c.problem}\n  → ${c.fix}`)));
  }
  throw new CliError(`this machine has no container runtime; ${automatic[0]?.name} serves best\n${lacking.join('\n')}`);
}
