import { readdirSync } from 'node:fs';
import http from 'node:http';
import { nodeViews } from '@coxswain/cluster';
import { Cgroup } from '@coxswain/linux';
import { beforeAll, expect, test } from 'vitest';
import { type ClusterFixture, eventually, guestbook } from './cluster-fixture.js';

interface Service {
  spec: { clusterIP: string; ports: { nodePort: number }[] };
}
interface Pod {
  metadata: { name: string; uid: string };
  status: { phase: string; containerStatuses: { restartCount: number; containerID: string }[] };
}

/** The example application, as its README promises it, on a cluster whose images have been loaded. Slow: waits for real probes and rolls a Deployment twice. */
export function guestbookSuite(under: () => ClusterFixture): void {
  let cluster: ClusterFixture;

  beforeAll(async () => {
    cluster = under();
    await cluster.kubectl('apply', '-f', `${guestbook}/manifests/`);
    for (const name of ['guestbook', 'guestbook-store']) await cluster.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=60s');
  });

  /** Where the front answers this machine: on the node port of every node; a machine that is the node reaches Services, too. */
  async function fronts(): Promise<readonly [string, ...string[]]> {
    const { spec } = await cluster.json<Service>('service', 'guestbook');
    const port = spec.ports[0]?.nodePort;
    const [first = '', ...others] = nodeViews(cluster.config).map(({ nodeIP }) => `${nodeIP}:${port}`);
    return cluster.config.hosts.length > 0 ? [first, ...others] : [`127.0.0.1:${port}`, first, spec.clusterIP];
  }

  test('the front page answers on the node port, on the cluster IP from the node, and by DNS name from a pod', async () => {
    for (const address of await fronts()) {
      expect(await page(address), address).toContain('<li>the first page is free</li>');
    }
    const fromPod = await cluster.kubectl(
      'exec',
      'deploy/guestbook-store',
      '--',
      'wget',
      '-q',
      '-O',
      '-',
      'http://guestbook.default.svc.cluster.local/cgi-bin/page',
    );
    expect(fromPod).toContain('Sign the guestbook');
  });

  test('an entry written through the front is kept by the store', async () => {
    const [front] = await fronts();
    await fetch(`http://${front}/cgi-bin/page`, { method: 'POST', body: 'entry=hello+from+a+test' });
    expect(await page(front)).toContain('<li>hello from a test</li>');
  });

  test('containers of one pod talk over localhost', async () => {
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: two }
spec:
  restartPolicy: Never
  containers:
    - { name: server, image: 'coxswain.local/guestbook:1', args: [httpd, -f, -p, '8080', -h, /www/front] }
    - { name: client, image: 'coxswain.local/guestbook:1', command: [sh, -c, 'until wget -q -O - http://localhost:8080/healthz; do sleep 0.2; done; sleep 3600'] }
`);
    await eventually('the client prints what the server answers', async () => expect(await cluster.kubectl('logs', 'two', '-c', 'client')).toContain('ok'));
    await cluster.kubectl('delete', 'pod', 'two', '--grace-period=0', '--force');
  });

  test('a rolling update under 50 requests/s loses none', async () => {
    const [front] = await fronts();
    const agent = new http.Agent({ keepAlive: false });
    const outcomes: Promise<string>[] = [];
    const request = () =>
      new Promise<string>((resolve) => {
        const req = http.get(`http://${front}/healthz`, { agent, timeout: 5000 }, (res) => {
          res.resume();
          res.on('end', () => resolve(String(res.statusCode)));
        });
        req.on('timeout', () => req.destroy(new Error('timeout')));
        req.on('error', (error) => resolve(error.message));
      });
    const load = setInterval(() => outcomes.push(request()), 20);
    try {
      await cluster.kubectl('set', 'image', 'deployment/guestbook', 'front=coxswain.local/guestbook:2');
      await cluster.kubectl('rollout', 'status', 'deployment/guestbook', '--timeout=90s');
      // Old pods are still finishing when the rollout is done.
      await eventually('old pods are gone', async () => expect(await cluster.pods('tier=front')).toHaveLength(3));
    } finally {
      clearInterval(load);
    }
    const results = await Promise.all(outcomes);
    expect(results.length).toBeGreaterThan(100);
    expect(results.filter((r) => r !== '200')).toEqual([]);
  });

  test('a rollout is undone', async () => {
    await cluster.kubectl('rollout', 'undo', 'deployment/guestbook');
    await cluster.kubectl('rollout', 'status', 'deployment/guestbook', '--timeout=90s');
    expect(await cluster.kubectl('get', 'deployment', 'guestbook', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'coxswain.local/guestbook:1',
    );
  });

  test('kill -9 of a container process restarts it and counts it', async () => {
    const [pod] = await cluster.pods<Pod>('tier=store');
    expect(pod?.status.containerStatuses[0]?.restartCount).toBe(0);
    await cluster.kubectl('exec', pod?.metadata.name ?? '', '--', 'kill', '-9', '1').catch(() => undefined);
    // PID 1 of a namespace ignores signals from inside: kill it from outside, by its cgroup.
    const dir = (await Cgroup.at(`/coxswain-${cluster.name}`)).directory('memory') ?? '';
    const id = pod?.status.containerStatuses[0]?.containerID.split('//')[1] ?? 'none';
    const found = readdirSync(dir, { recursive: true, encoding: 'utf8' }).find((p) => p.endsWith(id));
    expect(found, `the cgroup of ${id}`).toBeDefined();
    const leaf = await Cgroup.at(`/coxswain-${cluster.name}/${found}`);
    for (const pid of await leaf.processes()) process.kill(pid, 'SIGKILL');
    await eventually('the container runs again', async () => {
      const [after] = await cluster.pods<Pod>('tier=store');
      expect(after?.metadata.uid).toBe(pod?.metadata.uid);
      expect(after?.status.containerStatuses[0]).toMatchObject({ restartCount: 1, ready: true });
    });
  });
}

async function page(address: string): Promise<string> {
  const answer = await fetch(`http://${address}/cgi-bin/page`, { signal: AbortSignal.timeout(5000) });
  return answer.text();
}
