import { createServer } from 'node:net';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClusterFixture, command, coxProgram, eventually } from './cluster-fixture.js';

// Slow: boots a whole cluster and waits for real failures.
const cluster = new ClusterFixture('t-bad');

beforeAll(async () => {
  await cluster.up();
  await cluster.loadGuestbook();
});
afterAll(() => cluster[Symbol.asyncDispose]());

describe('cox', () => {
  test('an unknown flag or command is named, with exit code 2', async () => {
    expect(await cluster.cox(['up', '--no-such-flag'])).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option '--no-such-flag'") });
    expect(await cluster.cox(['upp'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/unknown command 'upp'/) });
    expect(await cluster.cox(['up', '--api-port', 'x'])).toMatchObject({ code: 2, stderr: expect.stringContaining('a port is a number') });
    expect(await cluster.cox(['up', '--without', 'kubelet'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is none of scheduler, controller-manager, kube-proxy'),
    });
    expect(await cluster.cox(['up', '--otlp-endpoint', 'collector:4318'])).toMatchObject({ code: 2, stderr: expect.stringContaining('give a URL such as') });
    expect(await cluster.cox(['up', '--name', 'Not_A_Name'])).toMatchObject({ code: 2, stderr: expect.stringContaining('name "Not_A_Name" must be') });
  });

  test('a second up of a running cluster says that it runs', async () => {
    expect(await cluster.cox(['up', '--name', cluster.name])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`cluster "${cluster.name}" is running already`),
    });
  });

  test('an up that was stopped half-way is gone on with, and of two at once one works', async () => {
    rmSync(join(cluster.config.paths.run, 'up'));
    rmSync(cluster.env['KUBECONFIG'] ?? '');
    const both = await Promise.all([1, 2].map(() => cluster.cox(['up', '--name', cluster.name])));
    const [works, refused] = both.sort((a, b) => a.code - b.code);
    expect(works).toMatchObject({ code: 0, stderr: expect.stringContaining('is up; context') });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/cox up \(process \d+\) is at work on cluster|is running already/) });
    expect(await cluster.kubectl('get', 'nodes')).toContain('Ready');
  });

  test('a port in use is named before anything is started', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    const { port } = server.address() as { port: number };
    try {
      const result = await cluster.cox(['up', '--name', 'other', '--api-port', String(port)]);
      expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining(`port ${port}, wanted for the API server, is in use`) });
    } finally {
      server.close();
    }
  });

  test('not root', async () => {
    const result = await command('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, coxProgram, 'up', '--name', 'nobody']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('need root');
  });

  test('containerd is missing', async () => {
    const result = await cluster.cox(['doctor'], { env: { PATH: '/nowhere' } });
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('apt-get install containerd');
  });

  test('a store that is none is refused and left alone', async () => {
    const other = new ClusterFixture('t-corrupt');
    try {
      const store = join(other.folder, 'state', 't-corrupt', 'store');
      mkdirSync(store, { recursive: true });
      for (const file of ['data.mdb', 'store.lmdb', 'store.mdb']) writeFileSync(join(store, file), 'this is no database'.repeat(1000));
      const result = await other.cox(['up', '--name', 't-corrupt']);
      expect(result.code).toBe(1);
      expect(result.stderr).toMatch(/not a .*store|corrupt|damaged/i);
      expect(result.stderr).toContain(store);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  test('a description of a cluster that is none is named, with what helps', async () => {
    const folder = join(cluster.folder, 'state', 'torn');
    mkdirSync(folder, { recursive: true });
    for (const text of ['', '{"name":', '{}']) {
      writeFileSync(join(folder, 'cluster.json'), text);
      const result = await cluster.cox(['down', '--name', 'torn', '--purge']);
      expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining(`${join(folder, 'cluster.json')} does not describe a cluster`) });
      expect(result.stderr).toContain(`rm -r ${folder}`);
    }
    rmSync(folder, { recursive: true });
  });

  test('a kubeconfig that is none keeps nothing of a cluster that is removed', async () => {
    const folder = join(cluster.folder, 'state', 'other');
    const other = {
      ...cluster.config,
      name: 'other',
      paths: JSON.parse(JSON.stringify(cluster.config.paths).replaceAll(`/${cluster.name}`, '/other')) as object,
    };
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'cluster.json'), JSON.stringify({ ...other, index: 7, bridge: 'cox7' }));
    const kubeconfig = join(cluster.folder, 'no-kubeconfig');
    writeFileSync(kubeconfig, 'a: [1');
    const result = await cluster.cox(['down', '--name', 'other', '--purge'], { env: { KUBECONFIG: kubeconfig } });
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('remove the context cox-other by hand') });
    expect(existsSync(folder)).toBe(false);
  });

  test('no such cluster', async () => {
    expect(await cluster.cox(['status', '--name', 'nobody'])).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no cluster named "nobody"') });
  });
});

describe('kubectl', () => {
  test('malformed YAML and wrong fields are refused by name', async () => {
    const wrong = await cluster.kubectlRaw(['apply', '-f', '-'], {
      input: 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: A_B, image: x}], nope: 1}\n',
    });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('unknown field "spec.nope"');
    const invalid = await cluster.kubectlRaw(['apply', '-f', '-'], {
      input: 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: A_B, image: x}]}\n',
    });
    expect(invalid.stderr).toContain('spec.containers[0].name: Invalid value: "A_B"');
  });

  const reasons: readonly [name: string, spec: string, reason: RegExp][] = [
    ['no-image', 'containers: [{name: c, image: "127.0.0.1:1/nothing:1"}]', /^(ErrImagePull|ImagePullBackOff)$/],
    ['bad-name', 'containers: [{name: c, image: "BAD//name::"}]', /^InvalidImageName$/],
    ['never', 'containers: [{name: c, image: "coxswain.local/absent:1", imagePullPolicy: Never}]', /^ErrImageNeverPull$/],
    [
      'no-command',
      'containers: [{name: c, image: "coxswain.local/guestbook:1", command: ["/no/such/command"]}]',
      /^(RunContainerError|CreateContainerError|CrashLoopBackOff|StartError)$/,
    ],
    ['no-config', 'containers: [{name: c, image: "coxswain.local/guestbook:1", envFrom: [{configMapRef: {name: absent}}]}]', /^CreateContainerConfigError$/],
    ['crashes', 'containers: [{name: c, image: "coxswain.local/guestbook:1", command: ["false"]}]', /^CrashLoopBackOff$/],
  ];
  test.each(reasons)('a pod that cannot run shows why: %s', async (name, spec, reason) => {
    await cluster.apply(`{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {${spec}}}`);
    await eventually(`${name} shows its reason`, async () => {
      const pod = await cluster.json<{ status: { containerStatuses?: { state: { waiting?: { reason: string } } }[] } }>('pod', name);
      expect(pod.status.containerStatuses?.[0]?.state.waiting?.reason).toMatch(reason);
    });
    await cluster.kubectl('delete', 'pod', name, '--grace-period=0', '--force');
  });
});
