import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Attachment,
  Cni,
  type CniError,
  CniErrorCode,
  type CniInvoker,
  type CniResult,
  diskCache,
  type NetworkList,
  type PluginEntry,
} from '@coxswain/cni';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

/** What a network of the suite is to be made of. */
export interface CniSuiteNetwork {
  readonly name: string;
  /** A host interface name nobody else uses. */
  readonly bridge: string;
  /** A /24 of its own. */
  readonly subnet: string;
  readonly gateway: string;
  /** Last address to give out. */
  readonly rangeEnd?: string;
  /** A folder for whatever the plugin keeps. */
  readonly dataDir: string;
}

export interface CniSuiteOptions {
  readonly name: string;
  /** Runs the plugin under test, in process or as an executable. */
  readonly invoker: () => CniInvoker | Promise<CniInvoker>;
  /** Plugins of a network that connects containers to each other and to the host, with a default route to it. */
  readonly plugins: (network: CniSuiteNetwork) => readonly PluginEntry[];
  /** Versions to try, oldest first; the last one is used for everything else. */
  readonly versions: readonly string[];
}

function run(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, [...args], (error, stdout, stderr) =>
      error ? reject(new Error(`${file} ${args.join(' ')}: ${stderr || error.message}`)) : resolve(stdout),
    );
  });
}

interface IpLink {
  ifname: string;
  address: string;
  operstate: string;
  flags: string[];
  addr_info?: { local: string; prefixlen: number; scope: string }[];
}

/** A network namespace looked at with `ip`, not with the code under test. */
class TestNamespace implements AsyncDisposable {
  readonly path: string;
  private readonly children: ReturnType<typeof spawn>[] = [];
  private constructor(readonly name: string) {
    this.path = `/run/netns/${name}`;
  }
  static async create(): Promise<TestNamespace> {
    const ns = new TestNamespace(`cxcni-${randomBytes(4).toString('hex')}`);
    await run('ip', ['netns', 'add', ns.name]);
    await run('ip', ['-n', ns.name, 'link', 'set', 'lo', 'up']);
    return ns;
  }
  async link(name: string): Promise<IpLink | undefined> {
    const links = JSON.parse(await run('ip', ['-n', this.name, '-j', 'addr', 'show'])) as IpLink[];
    return links.find((l) => l.ifname === name);
  }
  async routes(): Promise<{ dst: string; gateway?: string; dev: string }[]> {
    return JSON.parse((await run('ip', ['-n', this.name, '-j', 'route'])) || '[]') as { dst: string; gateway?: string; dev: string }[];
  }
  /** A TCP server in the namespace that answers with its own name. */
  async serve(port: number): Promise<void> {
    const program = `require('net').createServer((s) => s.end('${this.name}')).listen(${port}, () => console.log('ready'))`;
    const child = spawn('ip', ['netns', 'exec', this.name, process.execPath, '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.children.push(child);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`server in ${this.name} ended with ${code}`)));
    });
  }
  fetch(host: string, port: number): Promise<string> {
    const program = `const s = require('net').connect({host:'${host}',port:${port},timeout:5000});s.on('timeout',()=>s.destroy(new Error('timeout')));s.pipe(process.stdout)`;
    return run('ip', ['netns', 'exec', this.name, process.execPath, '-e', program]);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.children) {
      const ended = child.exitCode === null ? new Promise((resolve) => child.once('exit', resolve)) : undefined;
      child.kill('SIGKILL');
      await ended;
    }
    await run('ip', ['netns', 'delete', this.name]).catch(() => {});
  }
}

function fetchFromHost(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host, port, timeout: 5000 });
    socket.on('timeout', () => socket.destroy(new Error('timeout')));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

const failure = (promise: Promise<unknown>): Promise<CniError> =>
  promise.then(
    (value) => {
      throw new Error(`expected a CniError, got ${JSON.stringify(value)}`);
    },
    (error: CniError) => error,
  );

/**
 * What every CNI plugin that connects containers must do (CNI 1.1.0), driven through libcni. Needs root and iproute2; makes
 * its own namespaces and bridge and removes them.
 */
export function cniSuite(options: CniSuiteOptions): void {
  const newest = options.versions.at(-1) ?? '1.1.0';
  const modern = newest === '1.1.0';
  // Stands in the name of what is skipped.
  const since = modern ? '' : ` [not part of CNI ${newest}]`;

  describe(`CNI conformance: ${options.name}`, () => {
    let dir: string;
    let invoker: CniInvoker;
    let cni: Cni;
    const undo: (() => Promise<unknown>)[] = [];
    const subnet = `10.${200 + ((randomBytes(1)[0] ?? 0) % 50)}.${randomBytes(1)[0]}`;
    const bridge = `cxb${randomBytes(4).toString('hex')}`;

    const network = (overrides: Partial<CniSuiteNetwork> = {}, cniVersion = newest): NetworkList => {
      const parameters = { name: `suite-${bridge}`, bridge, subnet: `${subnet}.0/24`, gateway: `${subnet}.1`, dataDir: join(dir, 'ipam'), ...overrides };
      return { cniVersion, name: parameters.name, disableCheck: false, disableGC: false, plugins: options.plugins(parameters) };
    };
    const container = async (): Promise<{ ns: TestNamespace; attachment: Attachment }> => {
      const ns = await TestNamespace.create();
      undo.push(async () => ns[Symbol.asyncDispose]());
      return { ns, attachment: { containerId: ns.name, netns: ns.path, ifname: 'eth0' } };
    };
    const add = async (list: NetworkList, attachment: Attachment): Promise<CniResult> => {
      undo.push(() => cni.del(list, attachment));
      return cni.add(list, attachment);
    };
    const addressOf = (result: CniResult): string => (result.ips?.[0]?.address ?? '').split('/')[0] ?? '';

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'cni-suite-'));
      invoker = await options.invoker();
      cni = new Cni(invoker, diskCache(join(dir, 'results')));
    });
    afterEach(async () => {
      for (const step of undo.splice(0).reverse()) await step();
    });
    afterAll(async () => {
      await run('ip', ['link', 'delete', bridge]).catch(() => {});
      await rm(dir, { recursive: true, force: true });
    });

    it('ADD makes the interface, its address and the default route, and says so', async () => {
      const { ns, attachment } = await container();
      const result = await add(network(), attachment);
      const link = await ns.link('eth0');
      expect(link?.flags).toContain('UP');
      const address = link?.addr_info?.find((a) => a.scope === 'global');
      expect(result.ips?.[0]?.address).toBe(`${address?.local}/${address?.prefixlen}`);
      expect(address?.local.startsWith(`${subnet}.`)).toBe(true);
      expect(result.ips?.[0]?.gateway).toBe(`${subnet}.1`);
      const owner = result.interfaces?.[result.ips?.[0]?.interface ?? -1];
      expect(owner).toMatchObject({ name: 'eth0', sandbox: ns.path, mac: link?.address });
      expect((await ns.routes()).find((r) => r.dst === 'default')).toMatchObject({ gateway: `${subnet}.1`, dev: 'eth0' });
    });

    it('host and containers reach each other', async () => {
      const [a, b] = await Promise.all([container(), container()]);
      const [resultA, resultB] = await Promise.all([add(network(), a.attachment), add(network(), b.attachment)]);
      expect(addressOf(resultA)).not.toBe(addressOf(resultB));
      await Promise.all([a.ns.serve(8080), b.ns.serve(8080)]);
      expect(await fetchFromHost(addressOf(resultA), 8080)).toBe(a.ns.name);
      expect(await a.ns.fetch(addressOf(resultB), 8080)).toBe(b.ns.name);
      expect(await b.ns.fetch(addressOf(resultA), 8080)).toBe(a.ns.name);
    });

    it('containers attached at the same time get different addresses', async () => {
      const containers = await Promise.all(Array.from({ length: 8 }, container));
      const results = await Promise.all(containers.map(({ attachment }) => add(network(), attachment)));
      expect(new Set(results.map(addressOf)).size).toBe(8);
    });

    it.each(options.versions)('speaks version %s', async (version) => {
      const { ns, attachment } = await container();
      const list = network({}, version);
      const result = await add(list, attachment);
      expect(addressOf(result)).toMatch(/^10\./);
      await cni.del(list, attachment);
      expect(await ns.link('eth0')).toBeUndefined();
    });

    it('names the versions it supports', async () => {
      const type = network().plugins[0]?.type ?? '';
      expect(await invoker.supportedVersions(type)).toEqual(expect.arrayContaining([...options.versions]));
    });

    it('DEL removes the interface and gives the address back', async () => {
      const { ns, attachment } = await container();
      // One usable address: it can only be had again when it was given back.
      const list = network({ name: `small-${bridge}`, rangeEnd: `${subnet}.2` });
      const first = await add(list, attachment);
      const other = await container();
      await failure(cni.add(list, other.attachment));
      await cni.del(list, attachment);
      expect(await ns.link('eth0')).toBeUndefined();
      expect(addressOf(await add(list, other.attachment))).toBe(addressOf(first));
    });

    it('an exhausted range says so, and leaks nothing', async () => {
      const first = await container();
      const list = network({ name: `full-${bridge}`, rangeEnd: `${subnet}.2` });
      await add(list, first.attachment);
      // A plugin without a bridge has no ports of it to leak.
      const hostLinks = async () => {
        const links = await run('ip', ['-j', 'link', 'show', 'master', bridge]).catch(() => '[]');
        return (JSON.parse(links) as { ifname: string }[]).map((l) => l.ifname).sort();
      };
      const before = await hostLinks();
      for (let i = 0; i < 3; i++) {
        const other = await container();
        expect((await failure(cni.add(list, other.attachment))).message).toMatch(/no IP addresses available in range set: /);
        expect(await other.ns.link('eth0')).toBeUndefined();
      }
      expect(await hostLinks()).toEqual(before);
      expect((await readdir(dir, { recursive: true })).filter((name) => /\.tmp$/.test(name))).toEqual([]);
      await cni.del(list, first.attachment);
      expect(addressOf(await add(list, (await container()).attachment))).toBe(`${subnet}.2`);
    });

    it('DEL is idempotent, and works for what was never attached', async () => {
      const { attachment } = await container();
      await add(network(), attachment);
      await cni.del(network(), attachment);
      await cni.del(network(), attachment);
      await expect(cni.del(network(), { ...attachment, containerId: 'never-seen' })).resolves.toBeUndefined();
    });

    it('DEL works when the namespace is gone', async () => {
      const { ns, attachment } = await container();
      const list = network({ name: `gone-${bridge}`, rangeEnd: `${subnet}.2` });
      await add(list, attachment);
      await ns[Symbol.asyncDispose]();
      await cni.del(list, attachment);
      expect(addressOf(await add(list, (await container()).attachment))).toBe(`${subnet}.2`);
    });

    it('a failed ADD leaves nothing behind', async () => {
      const { ns, attachment } = await container();
      const list = network({ name: `fail-${bridge}`, rangeEnd: `${subnet}.2` });
      const broken = { ...list, plugins: [...list.plugins, { type: 'there-is-no-such-plugin' }] };
      await failure(cni.add(broken, attachment));
      expect(await ns.link('eth0')).toBeUndefined();
      await add(list, attachment);
    });

    it('ADD refuses an interface name that is in use, and leaves the first one alone', async () => {
      const { ns, attachment } = await container();
      await add(network(), attachment);
      expect((await failure(invokeFirst(invoker, network(), { ...attachment, containerId: `${attachment.containerId}-2` }))).name).toBe('CniError');
      expect((await ns.link('eth0'))?.flags).toContain('UP');
    });

    it('ADD fails for a namespace that does not exist', async () => {
      const { attachment } = await container();
      expect((await failure(cni.add(network(), { ...attachment, netns: '/run/netns/cxcni-missing' }))).name).toBe('CniError');
    });

    it('refuses a version it does not know with code 1', async () => {
      const { attachment } = await container();
      const error = await failure(invokeFirst(invoker, { ...network(), cniVersion: '9.9.9' }, attachment));
      expect(error.code).toBe(CniErrorCode.incompatibleVersion);
    });

    it('CHECK passes what ADD made', async () => {
      const { attachment } = await container();
      await add(network(), attachment);
      await expect(cni.check(network(), attachment)).resolves.toBeUndefined();
    });

    it('CHECK notices a lost address', async () => {
      const { ns, attachment } = await container();
      const result = await add(network(), attachment);
      await run('ip', ['-n', ns.name, 'addr', 'del', result.ips?.[0]?.address ?? '', 'dev', 'eth0']);
      expect((await failure(cni.check(network(), attachment))).name).toBe('CniError');
    });

    it('CHECK notices a lost interface', async () => {
      const { ns, attachment } = await container();
      await add(network(), attachment);
      await run('ip', ['-n', ns.name, 'link', 'delete', 'eth0']);
      expect((await failure(cni.check(network(), attachment))).name).toBe('CniError');
    });

    it.runIf(modern)(`GC takes back what is not valid any more, and nothing else${since}`, async () => {
      const [keep, stale] = await Promise.all([container(), container()]);
      const list = network({ name: `gc-${bridge}`, rangeEnd: `${subnet}.3` });
      const kept = await add(list, keep.attachment);
      const lost = await add(list, stale.attachment);
      // As if the runtime had lost its records: only the plugins know of the stale one.
      const forgetful = new Cni(invoker, diskCache(join(dir, 'empty')));
      await forgetful.gc(list, [{ containerID: keep.attachment.containerId, ifname: 'eth0' }]);
      expect((await keep.ns.link('eth0'))?.addr_info?.some((a) => a.local === addressOf(kept))).toBe(true);
      expect(addressOf(await add(list, (await container()).attachment))).toBe(addressOf(lost));
    });

    it.runIf(modern)(`STATUS is ready${since}`, async () => {
      await expect(cni.status(network())).resolves.toBeUndefined();
    });
  });
}

function invokeFirst(invoker: CniInvoker, list: NetworkList, attachment: Attachment) {
  const [first] = list.plugins;
  if (!first) throw new Error('a network without plugins');
  const { containerId, netns, ifname } = attachment;
  return invoker.invoke({
    command: 'ADD',
    containerId,
    netns,
    ifname,
    args: {},
    config: { ...first, type: first.type, cniVersion: list.cniVersion, name: list.name },
  });
}
