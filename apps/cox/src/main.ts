import { CommanderError } from 'commander';
import { CliError, describeError, searchSystemFolders } from '@coxswain/command';
import { createProgram } from './program.js';

void main();

/** Exit codes: 0 done, 1 failed, 2 called wrongly. */
async function main(): Promise<void> {
  searchSystemFolders();
  try {
    const program = await createProgram(process.argv[2]);
    await program.parseAsync(process.argv);
    // Connections kept alive for the next request would hold the command back; a long-running role never comes here.
    process.exit();
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has told it already; help and version are no failures.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else {
      process.stderr.write(`error: ${describeError(error)}\n`);
      if (process.env['COXSWAIN_DEBUG']) console.error(error);
      process.exitCode = error instanceof CliError ? error.exitCode : 1;
    }
    // Something may still hold the event loop; a command that failed must not hang.
    process.exit();
  }
}
