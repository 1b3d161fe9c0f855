import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectCri, ContainerState, type CriConnection } from '@coxswain/cri';
import { expect, it } from 'vitest';

export type ContainerInit = NonNullable<Parameters<CriConnection['runtime']['createContainer']>[0]['config']>;
export type SandboxInit = NonNullable<Parameters<CriConnection['runtime']['runPodSandbox']>[0]['config']>;

/** Images the runtime under test can pull. All have a shell and busybox's tools unless said otherwise. */
export interface CriSuiteImages {
  /** The image containers run; its config sets no user. */
  readonly base: string;
  /** One other image under three tags. */
  readonly threeTags: readonly [string, string, string];
  /** Three different images. */
  readonly threeImages: readonly [string, string, string];
  /** The base image in another repository or registry. */
  readonly baseElsewhere: string;
  /** An image whose config has `User: 1002`, and one with `User: nobody`. */
  readonly userId: string;
  readonly userName: string;
  /** /etc/group has user `member` (uid 1000, gid 1000 in /etc/passwd) in group 50000. */
  readonly groups: string;
}

export interface CriUnderTest {
  readonly endpoint: string;
  readonly images: CriSuiteImages;
  /** The runtime has a network for pods (CNI is configured). Default true. */
  readonly network?: boolean;
  stop(): Promise<void>;
}

/**
 * What a runtime may leave out and say so: `kernel`: namespaces, mounts, limits, users and security settings act on what runs;
 * `programs`: commands are programs, with environment and standard input; `image-volumes`: images are mounted as volumes;
 * `user-namespaces`: pods can have users of their own; `metrics`: the metrics calls and the streaming forms of the list calls.
 */
export type CriSuiteArea = 'kernel' | 'programs' | 'image-volumes' | 'user-namespaces' | 'metrics';

export interface CriSuiteOptions {
  readonly name?: string;
  /** Areas this runtime does not claim. Their cases are reported as skipped, each with the area in its name. */
  readonly without?: readonly CriSuiteArea[];
  start(): Promise<CriUnderTest>;
}

/** The runtime under test and the short words the cases are written in. Usable between `begin` and `end`. */
export class CriBench {
  under!: CriUnderTest;
  cri!: CriConnection;
  /** A folder of the suite's own. */
  dir!: string;
  #serial = 0;
  readonly #pods: string[] = [];

  constructor(private readonly options: CriSuiteOptions) {}

  async begin(): Promise<void> {
    this.under = await this.options.start();
    this.cri = connectCri({ endpoint: this.under.endpoint });
    this.dir = await mkdtemp(join(tmpdir(), 'cri-suite-'));
    await this.cri.image.pullImage({ image: { image: this.under.images.base } });
  }

  async removePods(): Promise<void> {
    await Promise.all(this.#pods.splice(0).map((podSandboxId) => this.cri.runtime.removePodSandbox({ podSandboxId })));
  }

  async end(): Promise<void> {
    this.cri?.close();
    await this.under?.stop();
    if (this.dir) await rm(this.dir, { recursive: true, force: true });
  }

  /** A number that has not been used yet. */
  next = (): number => ++this.#serial;

  /** A case that needs areas; skipped, by name, where the runtime does not claim them. */
  needs =
    (...areas: readonly CriSuiteArea[]) =>
    (name: string, run: () => Promise<void>): void => {
      const missing = areas.filter((area) => this.options.without?.includes(area));
      // oxlint-disable-next-line vitest/expect-expect, vitest/no-conditional-tests, vitest/valid-title -- declares the tests of a suite
      if (missing.length === 0) it(name, run);
      else it.skip(`${name} [not claimed: ${missing.join(', ')}]`, run);
    };

  podConfig = (over: Partial<SandboxInit> = {}): SandboxInit => {
    const n = this.next();
    return {
      metadata: { name: `pod-${n}`, uid: `uid-${process.pid}-${n}`, namespace: 'suite', attempt: 2 },
      logDirectory: join(this.dir, `logs-${n}`),
      labels: { app: `l${n}` },
      annotations: { note: 'kept' },
      linux: {},
      ...over,
    } as SandboxInit;
  };

  /** Removed after the case. */
  runPod = async (config: SandboxInit = this.podConfig()) => {
    const { podSandboxId } = await this.cri.runtime.runPodSandbox({ config });
    this.#pods.push(podSandboxId);
    return { podSandboxId, config };
  };

  create = async (pod: BenchPod, over: Partial<ContainerInit> = {}) => {
    const n = this.next();
    const config = {
      metadata: { name: `c-${n}`, attempt: 1 },
      image: { image: this.under.images.base },
      command: ['sh', '-c', 'sleep 1000'],
      linux: {},
      logPath: `c-${n}.log`,
      ...over,
    } as ContainerInit;
    const { containerId } = await this.cri.runtime.createContainer({ podSandboxId: pod.podSandboxId, config, sandboxConfig: pod.config });
    return { containerId, logPath: join((pod.config as { logDirectory: string }).logDirectory, `c-${n}.log`) };
  };

  start = async (pod: BenchPod, over: Partial<ContainerInit> = {}) => {
    const made = await this.create(pod, over);
    await this.cri.runtime.startContainer({ containerId: made.containerId });
    return made;
  };

  exec = async (containerId: string, script: string) => {
    const { stdout, stderr, exitCode } = await this.cri.runtime.execSync({ containerId, cmd: ['sh', '-c', script], timeout: 20n });
    return { out: Buffer.from(stdout).toString().trim(), err: Buffer.from(stderr).toString().trim(), exitCode };
  };

  status = async (containerId: string) => {
    const answer = await this.cri.runtime.containerStatus({ containerId });
    if (!answer.status) throw new Error('no status');
    return answer.status;
  };

  exited = (containerId: string) =>
    expect.poll(async () => (await this.status(containerId)).state, { timeout: 20_000, interval: 20 }).toBe(ContainerState.CONTAINER_EXITED);

  secure = (securityContext: object) => ({ linux: { securityContext } }) as Partial<ContainerInit>;

  logLines = async (path: string) =>
    (await readFile(path, 'utf8'))
      .split('\n')
      .filter(Boolean)
      .map((line) => /^(\S+) (stdout|stderr) ([PF]) (.*)$/.exec(line)!.slice(2) as string[]);
}

export type BenchPod = Awaited<ReturnType<CriBench['runPod']>>;
