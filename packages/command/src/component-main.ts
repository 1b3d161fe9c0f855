import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, CommanderError } from 'commander';
import { KUBERNETES_VERSION } from '@coxswain/sdk';
import { CliError, describeError } from './cli-error.js';
import { searchSystemFolders } from './system-path.js';

/** What `--version` says: upstream's components say the Kubernetes they belong to, others their own package's version. */
export type ProgramVersion = 'kubernetes' | URL;

/** Run a component's command as the program of this process. Exit codes are upstream's: 0 done, 1 failed or called wrongly. */
export async function componentMain(command: Command, version: ProgramVersion): Promise<never> {
  searchSystemFolders();
  command.version(versionText(command, version), '--version', 'say the version');
  try {
    await command.parseAsync(process.argv);
    process.exit(0);
  } catch (error) {
    // commander has told what it found; help and version are no failures.
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 1);
    const hint = error instanceof CliError && error.exitCode === 2 ? `\n(${command.name()} --help lists the flags)` : '';
    process.stderr.write(`error: ${describeError(error)}${hint}\n`);
    if (process.env['COXSWAIN_DEBUG']) console.error(error);
    process.exit(1);
  }
}

function versionText(command: Command, version: ProgramVersion): string {
  if (version === 'kubernetes') return `Kubernetes ${KUBERNETES_VERSION}`;
  const manifest = JSON.parse(readFileSync(fileURLToPath(version), 'utf8')) as { version: string };
  return `${command.name()} ${manifest.version}`;
}
