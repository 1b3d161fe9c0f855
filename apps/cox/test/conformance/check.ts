import { type ChildProcess, spawn } from 'node:child_process';
import { command, type CommandOptions, type CommandResult, eventually } from '../cluster-fixture.js';
import type { ApiAccess, Json } from './api-access.js';

/** One conformance behaviour: what upstream's end-to-end test of that name demands, against a running cluster. */
export interface Check {
  /** The codename in the conformance list, without its sig. */
  readonly name: string;
  /** Changes what others see (nodes, default classes): not beside others. */
  readonly serial?: true;
  run(context: CheckContext): Promise<void>;
}

export interface ClusterAccess {
  readonly api: ApiAccess;
  readonly kubectlProgram: string;
  readonly env: Readonly<Record<string, string>>;
}

export const IMAGE = 'coxswain.local/guestbook:1';
export const OTHER_IMAGE = 'coxswain.local/guestbook:2';
let counter = 0;

/** A namespace of its own, and the words checks are written in. */
export class CheckContext {
  readonly ns = `conf-${process.pid % 10_000}-${++counter}`;
  readonly #undo: (() => Promise<unknown>)[] = [];
  readonly core = `/api/v1/namespaces/${this.ns}`;
  readonly apps = `/apis/apps/v1/namespaces/${this.ns}`;
  readonly batch = `/apis/batch/v1/namespaces/${this.ns}`;

  constructor(private readonly access: ClusterAccess) {}

  get api(): ApiAccess {
    return this.access.api;
  }

  get node(): Promise<string> {
    return this.api.get('/api/v1/nodes').then((list) => list.items[0].metadata.name);
  }

  async setUp(): Promise<void> {
    await this.api.post('/api/v1/namespaces', { metadata: { name: this.ns, labels: { 'conformance-run': 'true' } } });
    await eventually('the default service account', () => this.api.get(`${this.core}/serviceaccounts/default`));
  }

  onEnd(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  async tearDown(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo().catch(() => {});
    await this.api.raw('DELETE', `/api/v1/namespaces/${this.ns}`);
  }

  kubectlRaw(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return command(this.access.kubectlProgram, ['-n', this.ns, ...args], { ...options, env: { ...this.access.env, ...options.env } });
  }

  async kubectl(...args: string[]): Promise<string> {
    const result = await this.kubectlRaw(args);
    if (result.code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${result.code}: ${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  async kubectlWith(input: string, ...args: string[]): Promise<string> {
    const result = await this.kubectlRaw(args, { input });
    if (result.code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${result.code}: ${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  background(...args: string[]): ChildProcess {
    const child = spawn(this.access.kubectlProgram, ['-n', this.ns, ...args], {
      env: { ...process.env, ...this.access.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.onEnd(async () => child.kill());
    return child;
  }

  /** What the script says in the pod; fails when it does. By WebSocket and not kubectl: a process for each look costs more than all else a check does. */
  async exec(pod: string, script: string): Promise<string> {
    const { code, stdout, stderr } = await this.api.exec(`${this.core}/pods/${pod}/exec`, ['sh', '-c', script]);
    if (code !== 0) throw new Error(`${script} in ${pod} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  pods = async (selector = ''): Promise<Json[]> => (await this.api.get(`${this.core}/pods?labelSelector=${encodeURIComponent(selector)}`)).items;

  async pod(name: string, spec: Json = {}, metadata: Json = {}): Promise<Json> {
    return this.api.post(`${this.core}/pods`, { metadata: { name, ...metadata }, spec: podSpec(spec) });
  }

  /** Wait until the object at `path` fits. */
  until(path: string, what: string, fits: (object: Json) => boolean, withinMs = 90_000): Promise<Json> {
    return eventually(
      what,
      async () => {
        const object = await this.api.get(path);
        if (!fits(object)) throw new Error(`still ${JSON.stringify(object.status ?? object).slice(0, 1500)}`);
        return object;
      },
      withinMs,
    );
  }

  gone = (path: string, withinMs = 90_000): Promise<unknown> =>
    eventually(`${path} to be gone`, async () => same((await this.api.raw('GET', path)).code, 404, path), withinMs);

  running = (name: string): Promise<Json> =>
    this.until(`${this.core}/pods/${name}`, `pod ${name} ready`, (p) => p.status?.conditions?.some((c: Json) => c.type === 'Ready' && c.status === 'True'));
}

/** A pod's spec: sleeps for ever and goes at once when told, unless `spec` says otherwise. */
export function podSpec(spec: Json = {}): Json {
  const { command: script, container, ...rest } = spec;
  return {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: IMAGE, command: ['sh', '-c', script ?? 'sleep 100000'], ...container }],
    ...rest,
  };
}

/** Answers with its host name on port 80. */
export const WEB = 'mkdir -p /tmp/w && hostname > /tmp/w/index.html && exec httpd -f -p 80 -h /tmp/w';

export const template = (labels: Json, spec: Json = {}): Json => ({ metadata: { labels }, spec: podSpec(spec) });

/** The order of a map's keys means nothing. */
const canonical = (value: unknown): string | undefined =>
  JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : 1))) : v,
  );

export function same(actual: unknown, expected: unknown, what: string): void {
  const a = canonical(actual);
  const b = canonical(expected);
  if (a !== b) throw new Error(`${what}: ${a}, should be ${b}`);
}

export function truly(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

export const condition = (object: Json, type: string): Json | undefined => object.status?.conditions?.find((c: Json) => c.type === type);

export async function runCheck(access: ClusterAccess, check: Check): Promise<void> {
  const context = new CheckContext(access);
  await context.setUp();
  try {
    await check.run(context);
  } finally {
    await context.tearDown();
  }
}
