import { Command, InvalidArgumentError, Option } from 'commander';
import { componentCommands } from './commands/component/component-commands.js';
import { logLevels } from './logger.js';
import { AUTO, runtimeChoices } from './runtimes/registry.js';
import { coxVersion } from './version.js';

const DEFAULT_CLUSTER = 'default';

/** The command line. Each command's code is loaded when it runs: `cox status` does not pay for the API server. */
export function createProgram(): Command {
  const program = new Command('cox')
    .description("Kubernetes' architecture in TypeScript: boots clusters, and runs each component alone")
    .version(coxVersion, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(cox --help lists the commands)')
    .enablePositionalOptions();

  cluster(program, 'up', 'create or start a cluster; returns when the node is Ready and DNS answers')
    .option('--foreground', 'stay attached; Ctrl-C takes the cluster down', false)
    .option('--node-ip <address>', 'address of this machine that pods and the API server use (default: of the default route)')
    .option('--node-name <name>', "name of the node (default: this machine's host name)")
    .addOption(runtimeOption('what runs containers; auto: the first of containerd, docker and crio that the machine has'))
    .addOption(new Option('--proxy-mode <mode>', 'what carries Services (default: nftables)').choices(['iptables', 'nftables']))
    .option('--pod-cidr <network>', 'addresses of pods')
    .option('--service-cidr <network>', 'addresses of services')
    .option('--api-port <port>', 'port of the API server', port)
    .option('--load-balancer-pool <network>', 'addresses of Services of type LoadBalancer: a network, or a range A-B')
    .option('--no-cloud', 'leave out the local cloud: load balancers, node initialisation, routes, volumes')
    .option('--no-kubeconfig', 'leave the kubeconfig file alone')
    .addOption(new Option('--log-level <level>', 'of the background processes').choices([...logLevels]).default('info'))
    .action(async (options) => (await import('./commands/up.js')).up(options));

  cluster(program, 'down', 'stop a cluster and remove everything it runs; its data stays')
    .option('--purge', 'remove its data too', false)
    .action(async (options) => (await import('./commands/down.js')).down(options));

  cluster(program, 'status', 'what runs, and how it is')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text'))
    .action(async (options) => (await import('./commands/status.js')).status(options));

  program
    .command('doctor')
    .description('check whether this machine can run a cluster')
    .addOption(runtimeOption('on this runtime; auto: on any'))
    .action(async (options) => (await import('./commands/doctor.js')).doctor(options));

  cluster(program, 'kubeconfig', "print a cluster's kubeconfig, or merge it into yours")
    .option('--merge', 'merge it into $KUBECONFIG or ~/.kube/config and make it current', false)
    .action(async (options) => (await import('./commands/kubeconfig.js')).kubeconfig(options));

  const image = program.command('image').description("a cluster's container images");
  cluster(image, 'load <file>', 'load a docker-save or OCI archive').action(async (file: string, options) =>
    (await import('./commands/image.js')).imageLoad(file, options),
  );
  cluster(image, 'list', 'list the images').action(async (options) => (await import('./commands/image.js')).imageList(options));

  cluster(program, 'logs [process]', "print the log of a process: control-plane, node, or a daemon of the runtime's")
    .option('-f, --follow', 'go on as it grows', false)
    .option('--tail <lines>', 'only the last lines', count)
    .action(async (role: string | undefined, options) => (await import('./commands/logs.js')).logs(role, options));

  for (const role of ['control-plane', 'node'] as const) {
    cluster(program, `run-${role}`, `the ${role} process of a cluster`, { hidden: true })
      .addOption(new Option('--log-level <level>').choices([...logLevels]).default('info'))
      .action(async (options) => (await import('./commands/run-role.js')).runRole(role, options));
  }
  for (const command of componentCommands()) program.addCommand(command);
  return program;
}

function cluster(parent: Command, nameAndArgs: string, description: string, options: { hidden?: boolean } = {}): Command {
  return parent
    .command(nameAndArgs, { hidden: options.hidden ?? false })
    .description(description)
    .option('--name <name>', 'the cluster', DEFAULT_CLUSTER);
}

function runtimeOption(description: string): Option {
  return new Option('--runtime <name>', description).choices([...runtimeChoices]).default(AUTO);
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535) throw new InvalidArgumentError('a port is a number from 1 to 65535');
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('give a whole number');
  return value;
}
