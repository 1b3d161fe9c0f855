import { createReadStream, existsSync, statSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { CliError } from '@coxswain/command';
import { requireCluster } from '../cluster/clusters.js';
import { logFile, processesOf } from '../cluster/processes.js';
import { searchLogs } from './search-logs.js';

export interface LogsOptions {
  readonly name: string;
  readonly follow: boolean;
  readonly tail?: number;
  readonly selector?: string;
  readonly namespace?: string;
  readonly container?: string;
  readonly pod?: string;
  readonly since?: string;
  readonly grep?: string;
}

const searchFlags = ['selector', 'namespace', 'container', 'pod', 'since', 'grep'] as const;

/** `cox logs [process]`: the log file as it is. Without a process, the names of the files. */
export async function logs(role: string | undefined, options: LogsOptions): Promise<void> {
  const config = requireCluster(options.name);
  const searching = searchFlags.filter((flag) => options[flag] !== undefined);
  if (searching.length > 0) {
    if (role !== undefined) throw new CliError(`--${searching[0]} searches the logs of containers, and "${role}" names a process`, 'leave one of them out', 2);
    return searchLogs(config, options);
  }
  const all = processesOf(config);
  if (role === undefined) {
    for (const each of all) console.log(`${each.name}\t${logFile(each.view, each.role)}`);
    return;
  }
  const chosen = all.find(({ name }) => name === role);
  if (!chosen) throw new CliError(`there is no process "${role}"`, `choose one of: ${all.map(({ name }) => name).join(', ')}`, 2);
  const file = logFile(chosen.view, chosen.role);
  if (!existsSync(file)) throw new CliError(`${role} of cluster "${options.name}" has not written a log yet`, `expected in ${file}`);
  const text = await readFile(file, 'utf8');
  const lines = text.split('\n');
  process.stdout.write(options.tail === undefined ? text : lines.slice(Math.max(0, lines.length - 1 - options.tail)).join('\n'));
  if (options.follow) await follow(file, Buffer.byteLength(text));
}

/** Print what is appended until interrupted. */
async function follow(file: string, from: number): Promise<never> {
  let at = from;
  let reading = Promise.resolve();
  const more = () => {
    reading = reading.then(async () => {
      const { size } = statSync(file);
      // The file was emptied: begin again.
      if (size < at) at = 0;
      if (size === at) return;
      for await (const chunk of createReadStream(file, { start: at, end: size - 1 })) process.stdout.write(chunk as Buffer);
      at = size;
    });
  };
  watch(file, more);
  more();
  return new Promise(() => {});
}
