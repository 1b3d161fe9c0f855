import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { diskCache } from './cache.js';
import { Cni } from './cni.js';
import { loadNetworks, parseNetwork } from './conf.js';
import { CniError } from './error.js';
import { execInvoker } from './exec-invoker.js';
import { inProcessInvoker } from './in-process-invoker.js';
import type { CniPlugin } from './plugin.js';
import { formatResult, parseResult } from './result.js';
import { runCniPlugin } from './skeleton.js';
import type { PluginConf } from './types.js';
import { SUPPORTED_VERSIONS } from './version.js';

const dir = mkdtempSync(join(tmpdir(), 'cni-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const calls: { plugin: string; command: string; config: PluginConf }[] = [];
function recorder(type: string, more: Partial<CniPlugin> = {}): CniPlugin {
  const note =
    (command: string) =>
    async ({ config }: { config: PluginConf }) =>
      void calls.push({ plugin: type, command, config });
  return {
    type,
    supportedVersions: SUPPORTED_VERSIONS,
    add: async ({ config, ifname }) => {
      calls.push({ plugin: type, command: 'ADD', config });
      return { cniVersion: '1.1.0', ...config.prevResult, interfaces: [...(config.prevResult?.interfaces ?? []), { name: `${ifname}-${type}` }] };
    },
    check: note('CHECK'),
    del: note('DEL'),
    gc: note('GC'),
    status: note('STATUS'),
    ...more,
  };
}
const list = (cniVersion = '1.1.0') =>
  parseNetwork(JSON.stringify({ cniVersion, name: 'net', plugins: [{ type: 'one', capabilities: { portMappings: true } }, { type: 'two' }] }));
const attachment = { containerId: 'c1', netns: '/ns', ifname: 'eth0', capabilityArgs: { portMappings: [{ hostPort: 80, containerPort: 8080 }], mac: 'x' } };

describe('Cni', () => {
  it('chains results in ADD, gives capabilities to who declares them, goes back in DEL with the cached result', async () => {
    const cni = new Cni(inProcessInvoker([recorder('one'), recorder('two')]), diskCache(join(dir, 'a')));
    calls.length = 0;
    const result = await cni.add(list(), attachment);
    expect(result.interfaces?.map((i) => i.name)).toEqual(['eth0-one', 'eth0-two']);
    expect(calls[0]?.config.runtimeConfig).toEqual({ portMappings: attachment.capabilityArgs.portMappings });
    expect(calls[1]?.config).toMatchObject({ name: 'net', cniVersion: '1.1.0', prevResult: { interfaces: [{ name: 'eth0-one' }] } });
    calls.length = 0;
    // The runtime may have forgotten its arguments; the cache has them.
    await cni.del(list(), { containerId: 'c1', netns: '', ifname: 'eth0' });
    expect(calls.map((c) => `${c.command} ${c.plugin}`)).toEqual(['DEL two', 'DEL one']);
    expect(calls[1]?.config).toMatchObject({ runtimeConfig: { portMappings: [{ hostPort: 80 }] }, prevResult: { interfaces: [{}, {}] } });
    expect(await cni.cached('net', attachment)).toBeUndefined();
  });

  it('undoes a failed ADD and reports the first error', async () => {
    const broken = recorder('two', {
      add: async () => {
        throw new CniError(11, 'later');
      },
    });
    const cni = new Cni(inProcessInvoker([recorder('one'), broken]), diskCache(join(dir, 'b')));
    calls.length = 0;
    await expect(cni.add(list(), attachment)).rejects.toMatchObject({ code: 11, message: 'later' });
    expect(calls.map((c) => `${c.command} ${c.plugin}`)).toEqual(['ADD one', 'DEL two', 'DEL one']);
  });

  it('DEL runs every plugin though one fails', async () => {
    const broken = recorder('two', { del: () => Promise.reject(new CniError(5, 'disk')) });
    const cni = new Cni(inProcessInvoker([recorder('one'), broken]), diskCache(join(dir, 'c')));
    calls.length = 0;
    await expect(cni.del(list(), attachment)).rejects.toMatchObject({ code: 5 });
    expect(calls.map((c) => c.plugin)).toEqual(['one']);
  });

  it('GC deletes cached attachments that are not valid, then tells the plugins', async () => {
    const cni = new Cni(inProcessInvoker([recorder('one'), recorder('two')]), diskCache(join(dir, 'd')));
    await cni.add(list(), attachment);
    await cni.add(list(), { ...attachment, containerId: 'c2' });
    calls.length = 0;
    await cni.gc(list(), [{ containerID: 'c2', ifname: 'eth0' }]);
    expect(calls.map((c) => `${c.command} ${c.plugin}`)).toEqual(['DEL two', 'DEL one', 'GC one', 'GC two']);
    expect(calls[2]?.config['cni.dev/valid-attachments']).toEqual([{ containerID: 'c2', ifname: 'eth0' }]);
    calls.length = 0;
    await cni.gc(list('1.0.0'), [{ containerID: 'c2', ifname: 'eth0' }]);
    expect(calls).toEqual([]);
  });

  it('STATUS says which plugin is missing', async () => {
    const cni = new Cni(inProcessInvoker([recorder('one')]), diskCache(join(dir, 'e')));
    await expect(cni.status(list())).rejects.toMatchObject({ code: 50, message: expect.stringContaining('"two"') });
  });

  it('a damaged cache does not stop DEL', async () => {
    const cni = new Cni(inProcessInvoker([recorder('one'), recorder('two')]), diskCache(join(dir, 'f')));
    await cni.add(list(), attachment);
    const file = join(dir, 'f', 'net-c1-eth0');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ kind: 'cniCacheV1', networkName: 'net', ifName: 'eth0' });
    writeFileSync(file, '{"half');
    await cni.del(list(), attachment);
  });
});

describe('configuration', () => {
  it('takes the files in order, and names the broken ones', async () => {
    const conf = mkdtempSync(join(dir, 'conf-'));
    writeFileSync(join(conf, '20-b.conflist'), JSON.stringify({ cniVersion: '1.0.0', cniVersions: ['1.1.0', '9.0.0'], name: 'b', plugins: [{ type: 'x' }] }));
    writeFileSync(join(conf, '10-a.conf'), JSON.stringify({ cniVersion: '0.4.0', name: 'a', type: 'y' }));
    writeFileSync(join(conf, '05-bad.conf'), '{');
    writeFileSync(join(conf, 'README'), 'no');
    const { networks, problems } = await loadNetworks(conf);
    expect(networks.map(({ network }) => [network.name, network.cniVersion, network.plugins[0]?.type])).toEqual([
      ['a', '0.4.0', 'y'],
      ['b', '1.1.0', 'x'],
    ]);
    expect(problems.map((p) => [p.error.code, p.file.endsWith('05-bad.conf')])).toEqual([[6, true]]);
    expect(await loadNetworks(join(conf, 'none'))).toEqual({ networks: [], problems: [] });
  });

  it.each([
    ['{"name":"a b","cniVersion":"1.0.0","plugins":[{"type":"x"}]}', 7],
    ['{"name":"a","cniVersion":"1.0.0","plugins":[]}', 7],
    ['{"name":"a","cniVersion":"1.0.0","plugins":[{}]}', 7],
    ['{"name":"a","cniVersion":"0.1.0","type":"x"}', 1],
    ['{"name":"a","cniVersion":"1.0.0","disableCheck":"maybe","plugins":[{"type":"x"}]}', 7],
  ])('refuses %s', (text, code) => {
    expect(() => parseNetwork(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe('results', () => {
  const result = {
    cniVersion: '1.1.0',
    interfaces: [{ name: 'eth0', sandbox: '/ns', mtu: 1400 }],
    ips: [{ address: '10.0.0.2/24', interface: 0 }, { address: 'fd00::2/64' }],
    routes: [{ dst: '0.0.0.0/0', mtu: 1400 }],
  };
  it('newer fields are left out of older versions, and addresses get their family before 1.0', () => {
    expect(formatResult(result, '1.1.0')).toMatchObject({ cniVersion: '1.1.0', interfaces: [{ mtu: 1400 }], routes: [{ mtu: 1400 }] });
    expect(formatResult(result, '1.0.0')).toEqual({
      cniVersion: '1.0.0',
      interfaces: [{ name: 'eth0', sandbox: '/ns' }],
      ips: result.ips,
      routes: [{ dst: '0.0.0.0/0' }],
      dns: {},
    });
    expect(formatResult(result, '0.4.0').ips).toEqual([
      { version: '4', address: '10.0.0.2/24', interface: 0 },
      { version: '6', address: 'fd00::2/64' },
    ]);
  });
  it.each(SUPPORTED_VERSIONS)('comes back from %s', (version) => {
    expect(parseResult(formatResult(result, version)).ips).toEqual(result.ips);
  });
});

describe('runCniPlugin', () => {
  const main = async (env: Record<string, string>, stdin: unknown = { cniVersion: '1.1.0', name: 'net', type: 'one' }) => {
    let out = '';
    const code = await runCniPlugin(recorder('one'), {
      env,
      stdin: async () => (typeof stdin === 'string' ? stdin : JSON.stringify(stdin)),
      stdout: (text) => {
        out += text;
      },
    });
    return { code, out: JSON.parse(out || 'null') as { code?: number; msg?: string } & Record<string, unknown> };
  };
  const add = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c', CNI_NETNS: '/ns', CNI_IFNAME: 'eth0', CNI_PATH: '/bin' };

  it('answers VERSION and ADD', async () => {
    expect(await main({ CNI_COMMAND: 'VERSION' })).toEqual({ code: 0, out: { cniVersion: '1.1.0', supportedVersions: [...SUPPORTED_VERSIONS] } });
    expect(await main(add, { cniVersion: '0.4.0', name: 'net' })).toEqual({
      code: 0,
      out: { cniVersion: '0.4.0', interfaces: [{ name: 'eth0-one' }], dns: {} },
    });
  });

  it.each([
    ['no command', {}, undefined, 4],
    ['an unknown command', { CNI_COMMAND: 'JUMP' }, undefined, 4],
    ['a missing variable', { ...add, CNI_NETNS: '' }, undefined, 4],
    ['a bad interface name', { ...add, CNI_IFNAME: 'a/b' }, undefined, 4],
    ['input that is not JSON', add, '{', 6],
    ['a version of the future', add, { cniVersion: '2.0.0', name: 'net' }, 1],
    ['no name', add, { cniVersion: '1.1.0' }, 7],
    ['GC before 1.1', { CNI_COMMAND: 'GC', CNI_PATH: '/bin' }, { cniVersion: '1.0.0', name: 'net' }, 1],
  ])('refuses %s', async (_what, env, stdin, code) => {
    const answer = await main(env as Record<string, string>, stdin);
    expect(answer).toMatchObject({ code: 1, out: { code } });
  });
});

describe('execInvoker', () => {
  const bin = join(dir, 'bin');
  const plugin = (name: string, script: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const invoker = execInvoker({ path: [join(dir, 'nothing'), bin] });
  const call = (type: string) => ({
    command: 'ADD' as const,
    containerId: 'c',
    netns: '/ns',
    ifname: 'eth0',
    args: { K: 'V' },
    config: { cniVersion: '1.0.0', name: 'net', type },
  });

  it('passes the environment and the configuration, and reads results and errors', async () => {
    const { mkdirSync } = await import('node:fs');
    mkdirSync(bin, { recursive: true });
    plugin('echo', 'printf \'{"cniVersion":"1.0.0","interfaces":[{"name":"%s %s %s %s"}]}\' "$CNI_COMMAND" "$CNI_CONTAINERID" "$CNI_ARGS" "$(cat | wc -c)"');
    plugin('fails', 'echo \'{"code":11,"msg":"busy","details":"d"}\'; exit 1');
    plugin('crashes', 'echo oops >&2; exit 3');
    plugin('hangs', 'exec sleep 60');
    expect((await invoker.invoke(call('echo')))?.interfaces?.[0]?.name).toMatch(/^ADD c K=V \d+$/);
    await expect(invoker.invoke(call('fails'))).rejects.toMatchObject({ code: 11, message: 'busy', details: 'd' });
    await expect(invoker.invoke(call('crashes'))).rejects.toThrow(/exit code 3: oops/);
    await expect(invoker.invoke(call('missing'))).rejects.toMatchObject({ code: 7, message: expect.stringContaining('missing') });
    await expect(invoker.invoke(call('hangs'), AbortSignal.timeout(50))).rejects.toThrow(/was stopped/);
  });

  it('gives up one that hangs, with all it has started, prints rubbish or without end, or is killed', async () => {
    plugin('forks', `sh -c 'echo $$ >${dir}/child; exec sleep 60' & wait`);
    plugin('floods', 'exec yes');
    plugin('killed', 'kill -9 $$');
    plugin('exits', 'exit 137');
    for (const [name, text] of Object.entries({ word: 'hello', null: 'null', list: '[]', number: '1', nothing: '' })) plugin(name, `echo '${text}'`);
    const impatient = execInvoker({ path: [bin], timeoutMs: 1000 });
    await expect(impatient.invoke(call('forks'))).rejects.toThrow('CNI plugin forks was stopped: it did not end within 1 s');
    const child = Number(readFileSync(join(dir, 'child'), 'utf8'));
    await expect.poll(() => existsSync(`/proc/${child}`)).toBe(false);
    await expect(invoker.invoke(call('floods'))).rejects.toThrow(/it printed more than \d+ bytes/);
    await expect(invoker.invoke(call('killed'))).rejects.toThrow('CNI plugin killed was ended by SIGKILL and no error message');
    await expect(invoker.invoke(call('exits'))).rejects.toThrow('failed with exit code 137');
    for (const name of ['word', 'null', 'list', 'number', 'nothing'])
      await expect(invoker.invoke(call(name))).rejects.toMatchObject({ code: 6, message: `CNI plugin ${name}: unreadable result` });
  });
});
