import { type ClientFlags, CliError, type LeaderElectionFlags, type LogLevel, readFlagFile, type ServingFlags } from '@coxswain/command';
import { componentServing, createLogger, kubeClient, leaderElection, only, requestLimit, runComponents } from '@coxswain/command/run';
import { KUBERNETES_VERSION, systemClock, systemRandom } from '@coxswain/sdk';
import { parse } from 'yaml';
import { defaultSchedulerConfig, parseSchedulerConfig, type ParsedSchedulerConfig, Scheduler, type SchedulerConfig } from '../index.js';

export interface SchedulerFlags extends ClientFlags, LeaderElectionFlags, ServingFlags {
  readonly config?: string;
  readonly podMaxInUnschedulablePodsDuration: number;
  readonly logLevel: LogLevel;
}

/** Whether a flag was on the command line; else its value is our default. */
type Given = (flag: keyof SchedulerFlags) => boolean;

export async function runScheduler(flags: SchedulerFlags, given: Given): Promise<void> {
  const file = flags.config === undefined ? undefined : readConfig(flags.config);
  const profiling = given('profiling') ? flags.profiling : (file?.profiling ?? flags.profiling);
  const serving = await componentServing({ ...flags, profiling }, 'kube-scheduler');
  const config = { ...schedulerConfig(flags, given, file), serving };
  const limit = given('kubeApiQps') ? requestLimit(flags) : (file?.clientConnection.limit ?? requestLimit(flags));
  const kubeconfig = flags.kubeconfig ?? file?.clientConnection.kubeconfig;
  const client = kubeClient(
    { ...(kubeconfig && { kubeconfig }), ...(flags.master && { master: flags.master }) },
    `kube-scheduler/${KUBERNETES_VERSION}`,
    limit,
  );
  return runComponents('kube-scheduler', flags.logLevel, [
    only(() => new Scheduler({ client, clock: systemClock, random: systemRandom, logger: createLogger(flags.logLevel, 'kube-scheduler'), config })),
  ]);
}

/** As upstream: a flag that is given wins over the file, the file over a flag's default. */
export function schedulerConfig(flags: SchedulerFlags, given: Given, file?: ParsedSchedulerConfig): SchedulerConfig {
  const election = (Object.keys(flags) as (keyof SchedulerFlags)[]).some((f) => f.startsWith('leaderElect') && given(f));
  return {
    ...(file?.config ?? defaultSchedulerConfig),
    ...(file === undefined || election ? { leaderElection: leaderElection(flags) } : {}),
    podMaxInUnschedulablePodsDurationSeconds: flags.podMaxInUnschedulablePodsDuration,
  };
}

function readConfig(path: string): ParsedSchedulerConfig {
  const content = readFlagFile('--config', path);
  try {
    return parseSchedulerConfig(parse(content));
  } catch (error) {
    throw new CliError(`--config: ${path}: ${(error as Error).message}`, undefined, 2, { cause: error });
  }
}
