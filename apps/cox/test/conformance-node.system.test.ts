import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Http2Server } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClusterFixture, eventually } from './cluster-fixture.js';
import { IMAGE, objects } from './node-checks.js';
import type { PodObject } from './pod-object.js';
import { until } from './process-output.js';

// The [sig-node] and [sig-storage] behaviours of Kubernetes v1.36 conformance that one node can show, all at once on one real cluster.
// Those that one pod shows by running to its end are in `node-suite.ts`, on every runtime.
const cluster = new ClusterFixture('t-node');

const pod = (name: string) => cluster.json<PodObject>('pod', name);
const sh = (script: string, more: object = {}) => ({ name: 'c', image: IMAGE, command: ['sh', '-c', script], ...more });
const sleep = (more: object = {}) => sh('trap exit TERM; sleep 1000 & wait', more);
const make = (name: string, spec: object, metadata: object = {}) =>
  cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { terminationGracePeriodSeconds: 1, ...spec } }));
const logs = (name: string, container = 'c') => cluster.kubectl('logs', name, '-c', container);
const running = (name: string) =>
  eventually(`${name} running`, async () => {
    const found = await pod(name);
    expect(found.status.phase).toBe('Running');
    return found;
  });
const ready = (name: string, within = 40_000) =>
  eventually(`${name} ready`, async () => expect((await pod(name)).status.containerStatuses?.every((c) => c.ready)).toBe(true), within);
const restarted = (name: string) =>
  eventually(`${name} restarted`, async () => expect((await pod(name)).status.containerStatuses?.[0]?.restartCount).toBeGreaterThan(0), 45_000);
const said = (name: string, reason: string, text: RegExp) =>
  eventually(
    `event ${reason} of ${name}`,
    async () => {
      const { items } = await cluster.json<{ items: { reason: string; message: string }[] }>('events', '--field-selector', `involvedObject.name=${name}`);
      expect(
        items
          .filter((e) => e.reason === reason)
          .map((e) => e.message)
          .join('\n'),
      ).toMatch(text);
    },
    40_000,
  );
/** The user a process of this machine runs as; undefined: it is gone. */
const ownerOf = (pid: string) => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;

beforeAll(async () => {
  await cluster.up();
  await cluster.loadGuestbook();
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
});
afterAll(() => cluster[Symbol.asyncDispose]());

describe.concurrent('lifecycle', () => {
  test('postStart and preStop hooks by http and exec; a shorter grace period does not run preStop again', async () => {
    // The last words are read from the outside: the pod is gone when it has said them.
    const folder = '/v';
    await make('hook-target', {
      containers: [
        sh(
          'mkdir -p /w/cgi-bin; printf "#!/bin/sh\\necho \\$QUERY_STRING >> /tmp/asked; printf \'Content-type: text/plain\\\\r\\\\n\\\\r\\\\n\'" > /w/cgi-bin/ask; chmod +x /w/cgi-bin/ask; touch /tmp/asked; exec httpd -f -p 8080 -h /w',
        ),
      ],
    });
    const target = (await running('hook-target')).status.podIP;
    const hook = (what: string) => ({ httpGet: { host: target, port: 8080, path: `/cgi-bin/ask?${what}` } });
    await make('http-hooks', { containers: [sleep({ lifecycle: { postStart: hook('start'), preStop: hook('stop') } })] });
    await make('exec-hooks', {
      terminationGracePeriodSeconds: 60,
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [
        sleep({
          volumeMounts: [{ name: 'v', mountPath: folder }],
          lifecycle: {
            postStart: { exec: { command: ['sh', '-c', 'echo started > /v/start'] } },
            preStop: { exec: { command: ['sh', '-c', `wget -q -O /dev/null 'http://${target}:8080/cgi-bin/ask?exec'; sleep 1000`] } },
          },
        }),
      ],
    });
    await Promise.all([running('http-hooks'), running('exec-hooks')]);
    expect(await cluster.kubectl('exec', 'exec-hooks', '--', 'cat', '/v/start')).toBe('started\n');
    const asked = () => cluster.kubectl('exec', 'hook-target', '--', 'cat', '/tmp/asked');
    await eventually('postStart', async () => expect(await asked()).toBe('start\n'));
    await Promise.all([cluster.kubectl('delete', 'pod', 'http-hooks'), cluster.kubectl('delete', 'pod', 'exec-hooks', '--wait=false')]);
    await eventually('both preStop hooks', async () => expect((await asked()).split('\n').sort().join(' ').trim()).toBe('exec start stop'));
    await cluster.kubectl('delete', 'pod', 'exec-hooks', '--grace-period=1', '--timeout=25s');
    expect((await asked()).split('\n').sort().join(' ').trim()).toBe('exec start stop');
  });

  test('a failing postStart hook restarts the container; a sleep hook holds readiness back', async () => {
    await make('bad-hook', { containers: [sleep({ lifecycle: { postStart: { exec: { command: ['false'] } } } })] });
    await make('sleep-hook', { containers: [sleep({ lifecycle: { postStart: { sleep: { seconds: 1 } }, preStop: { sleep: { seconds: 1 } } } })] });
    await ready('sleep-hook');
    await cluster.kubectl('delete', 'pod', 'sleep-hook', '--timeout=20s');
    await said('bad-hook', 'FailedPostStartHook', /PostStartHook failed/);
    await eventually('another try', async () => expect((await pod('bad-hook')).status.containerStatuses?.[0]?.restartCount).toBeGreaterThan(0), 45_000);
  });

  test('a deadline that is added later ends the pod', async () => {
    await make('deadline', { containers: [sleep()] });
    await running('deadline');
    await cluster.kubectl('patch', 'pod', 'deadline', '-p', '{"spec":{"activeDeadlineSeconds":1}}');
    await eventually('DeadlineExceeded', async () => expect((await pod('deadline')).status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' }));
  });

  test('init containers that fail hold a RestartAlways pod back', async () => {
    await make('init-waits', {
      initContainers: [
        { ...sh('exit 1'), name: 'one' },
        { ...sh('exit 0'), name: 'two' },
      ],
      containers: [sleep()],
    });
    await eventually(
      'a restart of the first',
      async () => {
        const { status } = await pod('init-waits');
        expect(status.initContainerStatuses?.[0]?.restartCount).toBeGreaterThan(0);
        expect(status.initContainerStatuses?.[1]?.state.waiting?.reason).toBe('PodInitializing');
        expect(status.phase).toBe('Pending');
      },
      40_000,
    );
    await cluster.kubectl('delete', 'pod', 'init-waits', '--timeout=20s');
  });

  test('an ephemeral container joins a running pod', async () => {
    await make('with-debugger', { containers: [sleep()] });
    await running('with-debugger');
    await cluster.kubectl('debug', 'with-debugger', `--image=${IMAGE}`, '--container=debugger', '--target=c', '--', 'sh', '-c', 'echo polo; pidof sleep');
    await eventually('its words', async () => expect(await logs('with-debugger', 'debugger')).toMatch(/^polo\n\d+/));
  });

  test('a resize beyond the node waits and says why, and can be taken back', async () => {
    const of = (cpu: string) => ({ requests: { cpu, memory: '16Mi' } });
    await make('too-large', { containers: [sleep({ resources: of('20m') })] });
    await ready('too-large');
    const resize = (cpu: string) =>
      cluster.kubectl('patch', 'pod', 'too-large', '--subresource=resize', '-p', JSON.stringify({ spec: { containers: [{ name: 'c', resources: of(cpu) }] } }));
    const pending = async () => (await pod('too-large')).status.conditions?.filter((c) => c.type === 'PodResizePending');
    await resize('900');
    await eventually('Infeasible', async () => expect(await pending()).toMatchObject([{ status: 'True', reason: 'Infeasible' }]));
    await resize('20m');
    await eventually('no condition', async () => expect(await pending()).toEqual([]));
  });

  test('class of service, generation and conditions', async () => {
    const resources = { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '10m', memory: '16Mi' } };
    await make('guaranteed', { containers: [sleep({ resources })] });
    await ready('guaranteed');
    const { status, metadata } = await pod('guaranteed');
    expect(status).toMatchObject({ qosClass: 'Guaranteed', observedGeneration: metadata.generation, hostIP: expect.stringMatching(/^\d/) });
    expect(
      status.conditions
        ?.filter((c) => c.status === 'True')
        .map((c) => c.type)
        .sort(),
    ).toEqual(['ContainersReady', 'Initialized', 'PodReadyToStartContainers', 'PodScheduled', 'Ready'].sort());
  });

  test('resources change in place', async () => {
    const of = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
    await make('resized', { containers: [sleep({ resources: of('20m', '32Mi') })] });
    await ready('resized');
    const patch = { spec: { containers: [{ name: 'c', resources: of('40m', '64Mi') }] } };
    await cluster.kubectl('patch', 'pod', 'resized', '--subresource=resize', '-p', JSON.stringify(patch));
    await eventually('new limits', async () => {
      const { status, metadata } = await pod('resized');
      expect(status.containerStatuses?.[0]).toMatchObject({ restartCount: 0, resources: { limits: { cpu: '40m', memory: '64Mi' } } });
      expect(status.observedGeneration).toBe(metadata.generation);
    });
    expect(
      await cluster.kubectl(
        'exec',
        'resized',
        '--',
        'sh',
        '-c',
        'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max',
      ),
    ).toContain(String(64 << 20));
  });
});

describe.concurrent('probes', () => {
  const probe = (handler: object, more: object = {}) => ({ ...handler, periodSeconds: 1, failureThreshold: 1, ...more });
  const www = 'mkdir /w; echo ok > /w/healthz;';

  test('liveness by exec, http and tcp restarts what fails and leaves what does not', async () => {
    const exec = { exec: { command: ['cat', '/tmp/health'] } };
    const http = { httpGet: { path: '/healthz', port: 8080 } };
    await Promise.all([
      make('exec-fails', {
        containers: [sh('echo ok > /tmp/health; sleep 3; rm /tmp/health; sleep 600', { livenessProbe: probe(exec, { initialDelaySeconds: 1 }) })],
      }),
      make('http-fails', {
        containers: [sh(`${www} (sleep 3; rm /w/healthz) & exec httpd -f -p 8080 -h /w`, { livenessProbe: probe(http, { initialDelaySeconds: 1 }) })],
      }),
      make('tcp-fails', { containers: [sh('sleep 600', { livenessProbe: probe({ tcpSocket: { port: 8080 } }) })] }),
      make('alive', {
        containers: [
          sh(`${www} echo ok > /tmp/health; exec httpd -f -p 8080 -h /w`, {
            livenessProbe: probe(exec, { initialDelaySeconds: 1 }),
            readinessProbe: probe(http),
            startupProbe: probe({ tcpSocket: { port: 8080 } }, { failureThreshold: 30 }),
          }),
        ],
      }),
    ]);
    await Promise.all([restarted('exec-fails'), restarted('http-fails'), restarted('tcp-fails'), ready('alive')]);
    expect((await pod('alive')).status.containerStatuses?.[0]?.restartCount).toBe(0);
    await said('http-fails', 'Unhealthy', /Liveness probe failed: HTTP probe failed with statuscode: 404/);
  });

  test('readiness that fails never makes ready and never restarts', async () => {
    await make('never-ready', { containers: [sh('sleep 600', { readinessProbe: probe({ exec: { command: ['false'] } }) })] });
    await said('never-ready', 'Unhealthy', /Readiness probe failed/);
    expect((await pod('never-ready')).status.containerStatuses?.[0]).toMatchObject({ ready: false, restartCount: 0 });
  });

  test('gRPC health', async () => {
    // The answers of grpc.health.v1.Health/Check: SERVING, or NOT_SERVING for the service "sick".
    const server: Http2Server = createServer();
    server.on('stream', (stream) => {
      const asked: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => asked.push(chunk));
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, Buffer.concat(asked).includes('sick') ? 2 : 1]));
      });
    });
    await new Promise<void>((done) => server.listen(0, '0.0.0.0', done));
    const { port } = server.address() as AddressInfo;
    try {
      await make('grpc-well', {
        hostNetwork: true,
        // The answers come from this process, which is busy with the other tests: one that is late must not count.
        containers: [sh('sleep 600', { readinessProbe: probe({ grpc: { port } }), livenessProbe: probe({ grpc: { port } }, { failureThreshold: 20 }) })],
      });
      await make('grpc-sick', { hostNetwork: true, containers: [sh('sleep 600', { livenessProbe: probe({ grpc: { port, service: 'sick' } }) })] });
      await Promise.all([ready('grpc-well'), restarted('grpc-sick')]);
      expect((await pod('grpc-well')).status.containerStatuses?.[0]?.restartCount).toBe(0);
    } finally {
      await cluster.kubectl('delete', 'pod', 'grpc-well', 'grpc-sick', '--now');
      server.close();
    }
  });
});

describe.concurrent('volumes', () => {
  test('follow their objects, and the pod its own labels', async () => {
    const map = (data: object) => cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'moving' }, data }));
    await map({ one: '1' });
    await make(
      'followers',
      {
        volumes: [
          { name: 'v', configMap: { name: 'moving' } },
          { name: 'p', projected: { sources: [{ configMap: { name: 'moving' } }, { secret: { name: 'later', optional: true } }] } },
          { name: 'd', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
        containers: [sleep({ volumeMounts: ['v', 'p', 'd'].map((name) => ({ name, mountPath: `/${name}` })) })],
      },
      { labels: { step: 'first' } },
    );
    await running('followers');
    const see = (path: string) => cluster.kubectl('exec', 'followers', '--', 'cat', path);
    expect(await see('/v/one')).toBe('1');
    await map({ one: '2', two: 'new' });
    await cluster.kubectl('create', 'secret', 'generic', 'later', '--from-literal=s=secret');
    await cluster.kubectl('label', 'pod', 'followers', 'step=second', '--overwrite');
    await eventually('the new state', async () => {
      expect([await see('/v/one'), await see('/v/two'), await see('/p/one'), await see('/p/s')]).toEqual(['2', 'new', '2', 'secret']);
      expect(await see('/d/labels')).toBe('step="second"');
    });
    await cluster.kubectl('delete', 'secret', 'later');
    await eventually('the secret gone', async () => expect((await cluster.kubectlRaw(['exec', 'followers', '--', 'cat', '/p/s'])).code).toBe(1));
  });

  test('bad sub-paths, missing objects and wrong host paths say so', async () => {
    const mounted = (mount: object, source: object, env: object[] = []) => ({
      volumes: [{ name: 'v', ...source }],
      containers: [sleep({ env, volumeMounts: [{ name: 'v', mountPath: '/v', ...mount }] })],
    });
    await Promise.all([
      make('absolute-subpath', mounted({ subPathExpr: '$(P)' }, { emptyDir: {} }, [{ name: 'P', value: '/tmp' }])),
      make('backticks', mounted({ subPathExpr: '$(P)' }, { emptyDir: {} }, [{ name: 'P', value: '..' }])),
      make('no-config', mounted({}, { configMap: { name: 'not-there' } })),
      make('not-a-folder', mounted({}, { hostPath: { path: '/etc/hosts', type: 'Directory' } })),
      make('no-key', { containers: [sleep({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'config', key: 'nothing' } } }] })] }),
    ]);
    const waits = (name: string, reason: string) =>
      eventually(`${name} waits`, async () => expect((await pod(name)).status.containerStatuses?.[0]?.state.waiting?.reason).toBe(reason));
    await Promise.all([
      waits('absolute-subpath', 'CreateContainerConfigError'),
      waits('backticks', 'CreateContainerConfigError'),
      waits('no-key', 'CreateContainerConfigError'),
      said('no-config', 'FailedMount', /MountVolume\.SetUp failed for volume "v" : configmap "not-there" not found/),
      said('not-a-folder', 'FailedMount', /hostPath type check failed: \/etc\/hosts is not a directory/),
    ]);
  });

  test('an emptyDir over its limit evicts the pod', async () => {
    await make('fills', {
      volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }],
      containers: [sh('dd if=/dev/zero of=/v/f bs=1M count=3; sleep 600', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })],
    });
    await eventually('the eviction', async () => {
      const { status } = await pod('fills');
      expect(status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ' });
      expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }));
    });
  });

  test('a pod with users of its own: who they are inside and outside, whose its files are, and that nothing of it stays', async () => {
    const at = (places: Readonly<Record<string, string>>) => ({ volumeMounts: Object.entries(places).map(([name, mountPath]) => ({ name, mountPath })) });
    const files = ['/', '/e/f', '/c/data-1', '/s/data-1', '/p/token', '/etc/hosts', '/etc/resolv.conf'];
    await make('own-users', {
      hostUsers: false,
      volumes: [
        { name: 'e', emptyDir: {} },
        { name: 'm', emptyDir: { medium: 'Memory' } },
        { name: 'c', configMap: { name: 'config' } },
        { name: 's', secret: { secretName: 'secret', defaultMode: 0o400 } },
        { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      ],
      initContainers: [{ ...sh('echo first > /e/init', at({ e: '/e' })), name: 'i' }],
      containers: [
        sh(
          `cat /proc/self/uid_map; touch /e/f; stat -L -c "%n %u:%g" ${files.join(' ')}; cat /e/init /s/data-1; echo; echo by-name > /dev/stderr;` +
            'nc -w 5 $KUBERNETES_SERVICE_HOST 443 < /dev/null && echo reached; sleep 1000',
          at({ e: '/e', c: '/c', s: '/s', p: '/p' }),
        ),
        {
          ...sh('echo $(id -u):$(id -g); touch /m/f && stat -c %u:%g /m/f; sleep 1000', {
            securityContext: { runAsUser: 1000, runAsGroup: 2000 },
            ...at({ m: '/m' }),
          }),
          name: 'user',
        },
      ],
    });
    const { metadata, spec } = await running('own-users');
    const { status } = await cluster.json<{ status: { runtimeHandlers: { name: string; features: object }[] } }>('node', spec.nodeName);
    expect(status.runtimeHandlers.find((h) => h.name === '')?.features).toMatchObject({ userNamespaces: true });
    const said = await eventually('both have said all', async () => {
      const [c, user] = [await logs('own-users'), await logs('own-users', 'user')];
      expect(c).toContain('reached');
      expect(user).toBe('1000:2000\n1000:2000\n');
      return c;
    });
    const [map = '', ...lines] = said.trim().split('\n');
    const [inside, first, length] = map.trim().split(/\s+/).map(Number) as [number, number, number];
    expect([inside, first % 65_536, length]).toEqual([0, 0, 65_536]);
    expect(first).toBeGreaterThan(0);
    expect(lines).toEqual([...files.map((f) => `${f} 0:0`), 'first', 'secret-1', 'by-name', 'reached']);
    const { state, run } = cluster.config.paths;
    const folder = join(state, 'kubelet', 'pods', metadata.uid);
    expect(statSync(join(folder, 'volumes/kubernetes.io~empty-dir/e/f')).uid).toBe(0);
    const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && ownerOf(pid) === first);
    expect(processes.length).toBeGreaterThan(0);
    await cluster.kubectl('exec', 'own-users', '-c', 'user', '--', 'sh', '-c', 'test $(id -u) = 1000 && echo x > /dev/stderr');
    await cluster.kubectl('delete', 'pod', 'own-users');
    await eventually('nothing is left', () => {
      expect(existsSync(folder)).toBe(false);
      expect(processes.filter((pid) => ownerOf(pid) === first)).toEqual([]);
      const places = readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .map((mount) => mount.split(' ')[4] ?? '');
      expect(places.filter((place) => place.includes(metadata.uid) || ['mapped', 'l'].some((dir) => place.startsWith(join(run, 'cri', dir, '/'))))).toEqual([]);
    });
  });

  test('what the runtime cannot give is refused, not ignored', async () => {
    await make('unsafe-sysctl', { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '65536' }] }, containers: [sleep()] });
    await eventually('SysctlForbidden', async () => expect((await pod('unsafe-sysctl')).status).toMatchObject({ phase: 'Failed', reason: 'SysctlForbidden' }));
  });
});

test('a container is stopped by the signal it asks for, which only a pod that names its system may', async () => {
  const container = sh('trap "echo by-usr1 > /dev/termination-log; exit 0" USR1; trap "" TERM; sleep 1000 & while :; do wait; done', {
    lifecycle: { stopSignal: 'SIGUSR1' },
    livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 },
  });
  await expect(make('stop-signal', { containers: [container] })).rejects.toThrow(
    /stopSignal: Forbidden: may not be set for containers with empty `spec\.os\.name`/,
  );
  await make('stop-signal', { os: { name: 'linux' }, terminationGracePeriodSeconds: 60, containers: [container] });
  await eventually('stopped by it', async () => {
    const { status } = await cluster.json<{ status: { containerStatuses: { stopSignal: string; lastState: object }[] } }>('pod', 'stop-signal');
    expect(status.containerStatuses[0]).toMatchObject({ stopSignal: 'SIGUSR1', lastState: { terminated: { exitCode: 0, message: 'by-usr1\n' } } });
  });
});

describe.concurrent("the kubelet's API", () => {
  test('exec, attach and port-forward', async () => {
    await make('talks', {
      containers: [sh('mkdir /w; echo page > /w/index.html; httpd -p 8080 -h /w; while read line; do echo "heard $line"; done; sleep 600', { stdin: true })],
    });
    await running('talks');
    const exec = await cluster.kubectlRaw(['exec', '-i', 'talks', '--', 'sh', '-c', 'cat; echo oops >&2; exit 7'], { input: 'through' });
    expect(exec).toMatchObject({ code: 7, stdout: 'through' });
    expect(exec.stderr).toContain('oops');
    const attached = cluster.background('attach', '-i', 'talks');
    const heard = until(attached, 'heard hello');
    attached.stdin?.write('hello\n');
    await heard;
    attached.kill();
    const forward = cluster.background('port-forward', 'pod/talks', ':8080');
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(await until(forward, 'Forwarding from'))?.[1]);
    const page = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    forward.kill();
    expect(page).toContain('page');
  });

  test('knows its callers by certificate and token, and asks what they may', async () => {
    const { paths } = cluster.config;
    const { status } = (
      await cluster.json<{ items: { status: { addresses: { type: string; address: string }[]; daemonEndpoints: { kubeletEndpoint: { Port: number } } } }[] }>(
        'nodes',
      )
    ).items[0]!;
    const host = status.addresses.find((a) => a.type === 'InternalIP')?.address;
    const ask = (path: string, options: object = {}) =>
      new Promise<{ code: number | undefined; body: string }>((resolve, reject) => {
        const call = request({ host, port: status.daemonEndpoints.kubeletEndpoint.Port, path, rejectUnauthorized: false, ...options }, (answer) => {
          let body = '';
          answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
          answer.on('end', () => resolve({ code: answer.statusCode, body }));
        });
        call.on('error', reject);
        call.end();
      });
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    expect((await ask('/pods')).code).toBe(401);
    expect((await ask('/pods', bearer('nonsense'))).code).toBe(401);
    const admin = { cert: readFileSync(join(paths.pki, 'admin.crt')), key: readFileSync(join(paths.pki, 'admin.key')) };
    expect((await ask('/pods', admin)).body).toContain('"PodList"');
    const token = (await cluster.kubectl('create', 'token', 'default')).trim();
    expect(await ask('/metrics', bearer(token))).toMatchObject({
      code: 403,
      body: expect.stringMatching(/Forbidden \(user=system:serviceaccount:default:default, verb=get, resource=nodes/),
    });
    await cluster.kubectl('create', 'serviceaccount', 'reader');
    await cluster.kubectl('create', 'clusterrole', 'reader', '--verb=get', '--resource=nodes/metrics');
    await cluster.kubectl('create', 'clusterrolebinding', 'reader', '--clusterrole=reader', '--serviceaccount=default:reader');
    const allowed = (await cluster.kubectl('create', 'token', 'reader')).trim();
    await eventually('metrics', async () => expect((await ask('/metrics', bearer(allowed))).body).toContain('kubelet_running_pods'));
    expect((await ask('/pods', bearer(allowed))).code).toBe(403);
  });
});
