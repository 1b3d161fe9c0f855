import type { PodNetworkMode, ReplaceableComponent } from '@coxswain/cluster';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ownRoles } from './cluster/own-roles.js';
import { componentCommands } from './commands/component/component-commands.js';
import { list, logLevels } from '@coxswain/command';
import { AUTO, runtimeChoices } from './runtimes/names.js';
import { coxVersion } from './version.js';

// The choices of @coxswain/cluster, which the command line does not load.
const replaceableComponents = ['scheduler', 'controller-manager', 'kube-proxy'] as const satisfies readonly ReplaceableComponent[];
const podNetworks = ['auto', 'vxlan', 'direct'] as const satisfies readonly PodNetworkMode[];

const DEFAULT_CLUSTER = 'default';

/** The command line that begins with `first`. Each command's code is loaded when it runs: `cox status` does not pay for the API server. */
export async function createProgram(first: string | undefined): Promise<Command> {
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
    .option('--nodes <count>', 'so many hosts, made on this machine (default: 1, this machine itself)', nodeCount)
    .option('--control-planes <count>', 'so many of the hosts run a control plane, with an etcd member each (default: 1, with an embedded store)', nodeCount)
    .option('--etcd-endpoints <urls>', 'an etcd of your own for the state: URLs of its members, with commas')
    .option('--etcd-cafile <file>', 'CA of its members')
    .option('--etcd-certfile <file>', 'our certificate for it')
    .option('--etcd-keyfile <file>', 'its key')
    .addOption(runtimesOption('what runs containers, for all nodes or one for each; auto: the first of crio, containerd and docker that the machine has'))
    .addOption(new Option('--proxy-mode <mode>', 'what carries Services (default: nftables)').choices(['iptables', 'nftables']))
    .option('--metrics-server', 'serve metrics.k8s.io: kubectl top, autoscaling (the default)')
    .option('--no-metrics-server', 'leave it to somebody else')
    .option('--otlp-endpoint <url>', 'forward container logs to this OpenTelemetry collector by OTLP/HTTP; empty: not any more', otlpEndpoint)
    .option('--without <components>', `components that somebody else runs: ${replaceableComponents.join(', ')}; empty: none`, replaceable)
    .option('--network-policy [enforced]', 'whether nodes enforce NetworkPolicy; =false: they do not (default: true)', trueOrFalse)
    .option('--pod-cidr <network>', 'addresses of pods')
    .option('--service-cidr <network>', 'addresses of services')
    .option('--host-cidr <network>', 'addresses of hosts')
    .addOption(new Option('--pod-network <mode>', 'how pods reach those of other hosts (default: auto)').choices([...podNetworks]))
    .option('--node-monitor-grace-period <seconds>', 'a node silent for so long is not ready (default: 40)', seconds)
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
  cluster(image, 'load <file>', 'load a docker-save or OCI archive, on every node')
    .option('--node <name>', 'on this node only')
    .action(async (file: string, options) => (await import('./commands/image.js')).imageLoad(file, options));
  cluster(image, 'list', 'list the images')
    .option('--node <name>', 'of this node only')
    .action(async (options) => (await import('./commands/image.js')).imageList(options));

  nodeCommands(program);

  cluster(program, 'etcdctl [args...]', "etcdctl on a cluster's state, embedded or in an etcd, with what it needs to get in", { flags: '--name <name>' })
    // Everything else is etcdctl's own, its `--cluster` too.
    .allowUnknownOption()
    .action(async (args: string[], options) => (await import('./commands/etcdctl.js')).etcdctl(args, options));

  cluster(program, 'logs [process]', 'print the log of a process (control-plane, node, or a daemon of the runtime), or search the logs of containers')
    .option('-l, --selector <labels>', 'containers of pods with these labels, app=web')
    .option('-n, --namespace <namespace>', 'of this namespace (default: all)')
    .option('-c, --container <name>', 'containers of this name')
    .option('--pod <name>', 'of this pod')
    .option('--since <duration>', 'not older than 90s, 10m, 1h30m')
    .option('--grep <pattern>', 'lines that match this regular expression')
    .option('-f, --follow', 'go on as it grows', false)
    .option('--tail <lines>', 'only the last lines', count)
    .action(async (role: string | undefined, options) => (await import('./commands/logs.js')).logs(role, options));

  cluster(program, 'dashboard', 'where the dashboard is, and a token to sign in with')
    .option('--open', 'open it in a browser', false)
    .option('--duration <hours>', 'how long the token is good for', count, 8)
    .option('--service-account <namespace/name>', "sign in as this one (default: an administrator's, which is made)")
    .action(async (options) => (await import('./commands/dashboard.js')).dashboard(options));

  for (const role of ownRoles) {
    cluster(program, `run-${role}`, `the ${role} process of a cluster`, { hidden: true })
      .option('--host <name>', 'on this host of it')
      .addOption(new Option('--log-level <level>').choices([...logLevels]).default('info'))
      .action(async (options) => (await import('./commands/run-role.js')).runRole(role, options));
  }
  if (program.commands.every((command) => command.name() !== first)) for (const command of await componentCommands(first)) program.addCommand(command);
  return program;
}

/** A command on one cluster, which `--name` and `--cluster` choose alike: `cox node add NAME` has a name of its own, so people get used to either. */
function cluster(parent: Command, nameAndArgs: string, description: string, options: { hidden?: boolean; flags?: string } = {}): Command {
  return parent
    .command(nameAndArgs, { hidden: options.hidden ?? false })
    .description(description)
    .option(options.flags ?? '--cluster, --name <name>', 'the cluster', DEFAULT_CLUSTER);
}

function runtimeOption(description: string): Option {
  return new Option('--runtime <name>', description).choices([...runtimeChoices]).default(AUTO);
}

/** One name, or as many as there are nodes, with commas. */
function runtimesOption(description: string): Option {
  const parse = (text: string) => {
    const names = text.split(',');
    const unknown = names.filter((name) => !runtimeChoices.includes(name));
    if (unknown.length > 0) throw new InvalidArgumentError(`Allowed choices are ${runtimeChoices.join(', ')}.`);
    return names;
  };
  return new Option('--runtime <names>', description).argParser(parse).default([AUTO], AUTO);
}

/** `cox node …`: the hosts of a cluster. */
function nodeCommands(program: Command): void {
  const node = program.command('node').description("a cluster's hosts");
  const commands = () => import('./commands/node.js');
  const of = (nameAndArgs: string, description: string) => cluster(node, nameAndArgs, description, { flags: '--name, --cluster <name>' });
  of('list', 'list the hosts').action(async (options) => (await commands()).nodeList(options));
  of('add [name]', 'make one more host; returns when its node is Ready')
    .addOption(runtimeOption('what runs its containers; auto: what the first host has'))
    .addOption(new Option('--log-level <level>', 'of its process').choices([...logLevels]).default('info'))
    .action(async (name: string | undefined, options) => (await commands()).nodeAdd(name, options));
  of('remove <name>', 'move its pods away, then take the host and its node away')
    .option('--drain-timeout <seconds>', 'how long pods may take to go', seconds, 60)
    .option('--force', 'also when pods do not go, or nobody answers', false)
    .action(async (name: string, options) => (await commands()).nodeRemove(name, options));
  of('exec <name> <command...>', 'run a command on a host, in its network')
    .passThroughOptions()
    .action(async (name: string, command: string[], options) => (await commands()).nodeExec(name, command, options));
}

function nodeCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 250) throw new InvalidArgumentError('give a whole number from 1 to 250');
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('give a whole number of seconds from 1');
  return value;
}

function trueOrFalse(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('give true or false');
  return text === 'true';
}

function replaceable(text: string): ReplaceableComponent[] {
  return list(text).map((name) => {
    const known = replaceableComponents.find((component) => component === name);
    if (!known) throw new InvalidArgumentError(`"${name}" is none of ${replaceableComponents.join(', ')}.`);
    return known;
  });
}

/** Of a collector as a whole, as OTEL_EXPORTER_OTLP_ENDPOINT has it, or with the path of its logs. */
function otlpEndpoint(text: string): string {
  if (text === '') return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('give a URL such as http://127.0.0.1:4318');
  if (url.pathname === '/') url.pathname = '/v1/logs';
  return url.href;
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
