import { Command, InvalidArgumentError, Option } from 'commander';
import { type LogLevel, logLevels } from './log-level.js';
import { rememberFlags } from './process-flags.js';

/** What every component's command has. */
export interface CommonFlags {
  readonly logLevel: LogLevel;
}

export interface KubeconfigFlags extends CommonFlags {
  readonly kubeconfig: string;
}

/**
 * A component's command, to which it adds its flags and its action. It throws commander's errors instead of ending the process,
 * so it may stand alone (`componentMain`) or be added to another command under another name.
 */
export function componentCommand(name: string, description: string): Command {
  const command = new Command(name)
    .description(description)
    .addOption(new Option('--log-level <level>', 'what is logged').choices([...logLevels]).default('info'))
    .addOption(new Option('-v, --v <number>', "upstream's verbosity: from 4 on it is --log-level=debug").argParser(verbosity))
    .exitOverride()
    .allowExcessArguments()
    .hook('preAction', (_this, action) => {
      refuseArguments(action);
      rememberFlags(action);
    })
    .showHelpAfterError('(--help lists the flags)');
  command.on('option:v', () => {
    if (command.getOptionValue('v') >= 4) command.setOptionValue('logLevel', 'debug');
  });
  return command;
}

/** As `componentCommand`, for a component that is a client of the API server. */
export function clientCommand(name: string, description: string): Command {
  return componentCommand(name, description).requiredOption('--kubeconfig <file>', 'how to reach the API server');
}

/** Empty arguments are what scripts leave of a flag they did not need ("$MAYBE_A_FLAG"): upstream overlooks them as well. */
function refuseArguments(command: Command): void {
  const stray = command.args.filter((argument) => argument !== '');
  if (stray.length > 0) command.error(`error: too many arguments: ${command.name()} takes none, got ${stray.map((each) => JSON.stringify(each)).join(', ')}`);
}

function verbosity(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('give a whole number.');
  return Number(text);
}
