import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerState, type CriConnection } from '@coxswain/cri';
import { CriServer, Clock, Random, systemClock, systemRandom } from '@coxswain/sdk';
import { FakeClock, FakeRandom } from '@coxswain/sdk-testing';
import { Container } from 'inversify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSimRuntime, criSim, type SimRuntime, type SimRuntimeOptions } from './index.js';

let dir: string;
let clock: FakeClock;
let sim: SimRuntime;
let cri: CriConnection;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cri-sim-'));
  clock = new FakeClock();
});
afterEach(async () => {
  await sim?.close();
  await rm(dir, { recursive: true, force: true });
});

function begin(options: SimRuntimeOptions = {}): void {
  sim = createSimRuntime({ podCIDR: '10.1.0.0/29', clock, random: new FakeRandom(), ...options });
  cri = sim.connect();
}

async function container(annotations: Record<string, string>, attempt = 0): Promise<string> {
  const config = { metadata: { name: 'pod', uid: 'u', namespace: 'default', attempt }, annotations, logDirectory: join(dir, 'logs') };
  const { podSandboxId } = await cri.runtime.runPodSandbox({ config });
  await cri.image.pullImage({ image: { image: 'web:1' }, sandboxConfig: config });
  const { containerId } = await cri.runtime.createContainer({
    podSandboxId,
    sandboxConfig: config,
    config: { metadata: { name: 'web', attempt }, image: { image: 'web:1' }, logPath: 'web.log' },
  });
  return containerId;
}

const status = async (containerId: string) => (await cri.runtime.containerStatus({ containerId })).status;

describe('a script', () => {
  it('lasts as long as it says, by the clock', async () => {
    begin();
    const id = await container({
      'sim.coxswain.dev/containers': JSON.stringify({ start: { after: '2s' }, exit: { after: '1m', code: 3, reason: 'OOMKilled' } }),
    });
    const started = cri.runtime.startContainer({ containerId: id });
    await clock.advance(1999);
    expect((await status(id))?.state).toBe(ContainerState.CONTAINER_CREATED);
    await clock.advance(1);
    await started;
    await clock.advance(59_999);
    expect((await status(id))?.state).toBe(ContainerState.CONTAINER_RUNNING);
    await clock.advance(1);
    expect(await status(id)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 3, reason: 'OOMKilled' });
  });

  it('writes its log at its times, in CRI format', async () => {
    begin();
    const id = await container({ 'sim.coxswain.dev/container.web': 'logs: [first, {line: tick, after: 1s, every: 2s}]' });
    await cri.runtime.startContainer({ containerId: id });
    await clock.advance(5000);
    expect(await readFile(join(dir, 'logs', 'web.log'), 'utf8')).toBe(
      ['00 stdout F first', '01 stdout F tick', '03 stdout F tick', '05 stdout F tick']
        .map((line) => `2026-01-01T00:00:${line.replace(' ', '.000000000Z ')}\n`)
        .join(''),
    );
  });

  it('stops as it says, or is killed when its grace period is over', async () => {
    begin();
    const annotations = { 'sim.coxswain.dev/containers': '{stop: {after: 3s, code: 0}}' };
    const [patient, impatient] = [await container(annotations), await container(annotations, 1)];
    for (const containerId of [patient, impatient]) await cri.runtime.startContainer({ containerId });
    const stopping = Promise.all([
      cri.runtime.stopContainer({ containerId: patient, timeout: 30n }),
      cri.runtime.stopContainer({ containerId: impatient, timeout: 2n }),
    ]);
    await clock.advance(3000);
    await stopping;
    expect([(await status(patient))?.exitCode, (await status(impatient))?.exitCode]).toEqual([0, 137]);
  });

  it('exits only the first times, when told so', async () => {
    begin();
    const annotations = { 'sim.coxswain.dev/containers': '{exit: {after: 1s, code: 1, times: 1}}' };
    const ids = [await container(annotations, 0), await container(annotations, 1)];
    for (const containerId of ids) await cri.runtime.startContainer({ containerId });
    await clock.advance(2000);
    expect(await Promise.all(ids.map(async (id) => (await status(id))?.state))).toEqual([ContainerState.CONTAINER_EXITED, ContainerState.CONTAINER_RUNNING]);
  });

  it('uses what it says from the times on that it says', async () => {
    begin();
    const id = await container({ 'sim.coxswain.dev/containers': '{usage: [{cpu: 100m, memory: 1Mi}, {after: 10s, cpu: 2, memory: 3Mi}]}' });
    await cri.runtime.startContainer({ containerId: id });
    await clock.advance(15_000);
    const { stats } = await cri.runtime.containerStats({ containerId: id });
    expect(stats?.memory?.workingSetBytes?.value).toBe(3n * 1024n * 1024n);
    // 10 s of a tenth of a core and 5 s of two, and a millisecond for starting.
    expect(stats?.cpu?.usageCoreNanoSeconds?.value).toBe(1_000_000_000n + 10_000_000_000n + 1_000_000n);
  });

  it.each([
    ['{exit: {code: 300}}', /annotation sim\.coxswain\.dev\/containers: exit\.code must be an integer from 0 to 255, got 300/],
    ['{exits: {}}', /exits is unknown; known here: start, serve, exit/],
    ['{logs: [{every: 1s}]}', /logs\[0\]\.line is required/],
    ['{start: {after: 5}}', /start\.after must be a duration such as 500ms, 2s or 1m30s, got 5/],
    ['[', /annotation sim\.coxswain\.dev\/containers/],
  ])('that is wrong is refused with what is wrong: %s', async (script, message) => {
    begin();
    await expect(container({ 'sim.coxswain.dev/containers': script })).rejects.toThrow(message);
  });
});

it('pulls slowly, or not, as the configuration or the pod says', async () => {
  begin({
    images: [
      { name: 'other:*', pull: '4s' },
      { name: 'web:1', pull: '3s' },
    ],
  });
  let pulled = false;
  const pull = cri.image.pullImage({ image: { image: 'docker.io/library/web:1' } }).then(() => (pulled = true));
  await clock.advance(2999);
  expect(pulled).toBe(false);
  await clock.advance(1);
  await pull;
  const sandboxConfig = { annotations: { 'sim.coxswain.dev/pull': '{after: 0s, error: no such host}' } };
  await expect(cri.image.pullImage({ image: { image: 'docker.io/library/web:1' }, sandboxConfig })).rejects.toThrow(
    'failed to pull image "docker.io/library/web:1": no such host',
  );
});

it('gives addresses of its network, each once, until there are no more', async () => {
  begin();
  const run = (attempt: number) => cri.runtime.runPodSandbox({ config: { metadata: { name: 'p', uid: 'u', namespace: 'd', attempt } } });
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push((await run(i)).podSandboxId);
  const ips = await Promise.all(ids.map(async (podSandboxId) => (await cri.runtime.podSandboxStatus({ podSandboxId })).status?.network?.ip));
  expect(ips).toEqual(['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5', '10.1.0.6']);
  await expect(run(5)).rejects.toThrow('no IP addresses available in 10.1.0.0/29');
  await cri.runtime.stopPodSandbox({ podSandboxId: ids[1] ?? '' });
  expect((await cri.runtime.podSandboxStatus({ podSandboxId: (await run(6)).podSandboxId })).status?.network?.ip).toBe('10.1.0.3');
});

it('has no network before the kubelet said which', async () => {
  begin({ podCIDR: '' });
  const ready = async () => (await cri.runtime.status({})).status?.conditions.find((c) => c.type === 'NetworkReady')?.status;
  expect(await ready()).toBe(false);
  await cri.runtime.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: 'fd00::/64,10.7.0.0/24' } } });
  expect(await ready()).toBe(true);
});

it('finds everything again in its folder, and what was due meanwhile has happened', async () => {
  begin({ root: join(dir, 'root') });
  const ends = await container({ 'sim.coxswain.dev/containers': '{exit: {after: 10s, code: 4}}' });
  const stays = await container({}, 1);
  for (const containerId of [ends, stays]) await cri.runtime.startContainer({ containerId });
  await sim.close();
  await clock.advance(60_000);
  begin({ root: join(dir, 'root') });
  expect(await status(ends)).toMatchObject({ exitCode: 4, finishedAt: BigInt(clock.start + 10_000) * 1_000_000n });
  expect((await status(stays))?.state).toBe(ContainerState.CONTAINER_RUNNING);
  expect((await cri.image.imageStatus({ image: { image: 'web:1' } })).image?.repoTags).toEqual(['docker.io/library/web:1']);
  expect((await cri.runtime.listPodSandbox({})).items).toHaveLength(2);
});

it('binds a CRI server without starting anything, and reports what is wrong in its configuration', async () => {
  sim = createSimRuntime();
  const host = new Container();
  host.bind(Clock).toConstantValue(systemClock);
  host.bind(Random).toConstantValue(systemRandom);
  const checked = await criSim.config['~standard'].validate({ endpoint: 'unix:///x.sock', containers: [{ image: '*', exit: { code: 1 } }] });
  if (checked.issues) throw new Error(JSON.stringify(checked.issues));
  await host.load(criSim.module(checked.value));
  expect(await host.getAsync(CriServer)).toMatchObject({ endpoint: 'unix:///x.sock', name: 'cri-sim' });
  const { issues } = await criSim.config['~standard'].validate({ containers: [{ exit: { cod: 1 } }], images: [{}] });
  expect(issues?.map((i) => i.message)).toEqual([
    'is required',
    'containers[0].exit.cod is unknown; known here: after, code, reason, times',
    'images[0].name is required',
  ]);
});
