import { basename } from 'node:path';
import { type CniMainIo, processIo, runCniPlugin } from '@coxswain/cni';
import { inlineThread } from '@coxswain/linux';
import { bridgePlugins } from './plugins.js';

/**
 * The executable: which plugin it is, its name says (`/opt/cni/bin/bridge` linked to it), or else the configuration's
 * `type`. Resolves with the exit code.
 */
export async function cniMain(argv0: string, io: CniMainIo = processIo()): Promise<number> {
  const plugins = bridgePlugins({ thread: inlineThread() });
  const named = plugins.find((plugin) => plugin.type === basename(argv0));
  if (named) return runCniPlugin(named, io, plugins);
  const stdin = await io.stdin();
  let type: unknown;
  try {
    type = (JSON.parse(stdin) as { type?: unknown }).type;
  } catch {
    // The plugin reports it.
  }
  const chosen = plugins.find((plugin) => plugin.type === type) ?? plugins[0];
  if (!chosen) throw new Error('no plugins');
  return runCniPlugin(chosen, { ...io, stdin: async () => stdin }, plugins);
}
