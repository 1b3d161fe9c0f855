import { mkdtempSync, rmSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../cluster-fixture.js';
import type { Json } from './api-access.js';
import { type Check, type CheckContext, IMAGE, OTHER_IMAGE, same, truly, WEB } from './check.js';

const rcYaml = (name: string, replicas: number) => `
apiVersion: v1
kind: ReplicationController
metadata: { name: ${name}, labels: { app: ${name}, role: master } }
spec:
  replicas: ${replicas}
  selector: { app: ${name}, role: master }
  template:
    metadata: { labels: { app: ${name}, role: master } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - { name: agnhost-primary, image: "${IMAGE}", command: [sh, -c, ${JSON.stringify(WEB)}], ports: [{ name: http-server, containerPort: 80 }] }
`;

async function controller(c: CheckContext, name = 'agnhost-primary', replicas = 1): Promise<void> {
  await c.kubectlWith(rcYaml(name, replicas), 'create', '-f', '-');
  await c.until(`${c.core}/replicationcontrollers/${name}`, 'its pods', (rc) => rc.status.readyReplicas === replicas);
}

const has = (text: string, ...parts: readonly (string | RegExp)[]) => {
  for (const part of parts) truly(typeof part === 'string' ? text.includes(part) : part.test(text), `no ${part} in:\n${text}`);
};

/** GET over a port or a socket. */
const fetchLocal = (to: { port: number } | { socketPath: string }, path: string): Promise<Json> =>
  new Promise((resolve, reject) => {
    httpGet({ ...to, host: '127.0.0.1', path }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
      incoming.on('end', () => resolve(JSON.parse(text)));
    }).on('error', reject);
  });

export const checks: Check[] = [
  {
    name: 'Kubectl describe should check if kubectl describe prints relevant information for rc and pods',
    async run(c) {
      await controller(c);
      await c.kubectlWith(
        `{"apiVersion":"v1","kind":"Service","metadata":{"name":"agnhost-primary","labels":{"app":"agnhost-primary","role":"master"}},"spec":{"ports":[{"port":6379,"targetPort":"http-server"}],"selector":{"app":"agnhost-primary","role":"master"}}}`,
        'create',
        '-f',
        '-',
      );
      const [pod] = await c.pods('app=agnhost-primary');
      has(
        await c.kubectl('describe', 'pod', pod.metadata.name),
        'Name:',
        'Namespace:',
        'Node:',
        'Labels:',
        'app=agnhost-primary',
        'role=master',
        'Annotations:',
        'Status:',
        'IP:',
        'Controlled By:',
        'ReplicationController/agnhost-primary',
        'Image:',
        'State:',
        'QoS Class:',
      );
      has(
        await c.kubectl('describe', 'rc', 'agnhost-primary'),
        'Name:',
        'Namespace:',
        'Selector:',
        'Labels:',
        'Annotations:',
        'Replicas:',
        /1 current.*1 desired/,
        'Pods Status:',
        '1 Running',
        '0 Waiting',
        '0 Succeeded',
        '0 Failed',
        'Pod Template:',
        'Image:',
        'Events:',
        'SuccessfulCreate',
      );
      has(
        await c.kubectl('describe', 'service', 'agnhost-primary'),
        'Selector:',
        'Type:',
        'ClusterIP',
        'IP:',
        'Port:',
        'Endpoints:',
        'Session Affinity:',
        /TargetPort:\s+http-server/,
      );
      has(
        await c.kubectl('describe', 'node', await c.node),
        'Labels:',
        'Annotations:',
        'CreationTimestamp:',
        'Conditions:',
        'Type',
        'Status',
        'LastHeartbeatTime',
        'LastTransitionTime',
        'Reason',
        'Message',
        'Addresses:',
        'Capacity:',
        'Version',
        'Kernel Version:',
        'OS Image:',
        'Container Runtime Version:',
        'Kubelet Version:',
        'Pods:',
        'Allocated resources:',
      );
      has(await c.kubectl('describe', 'namespace', c.ns), 'Name:', 'Labels:', 'Annotations:', /Status:\s+Active/);
      const manifest = {
        schedule: '*/1 * * * *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'test', image: IMAGE, args: ['x'] }] } } } },
      };
      await c.api.post(`${c.batch}/cronjobs`, { metadata: { name: 'cj' }, spec: { ...manifest, suspend: true } });
      has(
        await c.kubectl('describe', 'cronjob', 'cj'),
        'Schedule:',
        'Concurrency Policy:',
        'Suspend:',
        'Successful Job History Limit:',
        'Failed Job History Limit:',
        'Starting Deadline Seconds:',
        'Selector:',
        'Parallelism:',
        'Completions:',
      );
    },
  },
  {
    name: 'Kubectl diff should check if kubectl diff finds a difference for Deployments',
    async run(c) {
      const yaml = (image: string) =>
        `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"httpd","labels":{"app":"httpd"}},"spec":{"replicas":1,"selector":{"matchLabels":{"app":"httpd"}},"template":{"metadata":{"labels":{"app":"httpd"}},"spec":{"containers":[{"name":"httpd","image":"${image}"}]}}}}`;
      await c.kubectlWith(yaml(IMAGE), 'create', '-f', '-');
      const diff = await c.kubectlRaw(['diff', '-f', '-'], { input: yaml(OTHER_IMAGE) });
      same(diff.code, 1, `exit code (${diff.stderr})`);
      has(diff.stdout, `-      - image: ${IMAGE}`, `+      - image: ${OTHER_IMAGE}`);
      const none = await c.kubectlRaw(['diff', '-f', '-'], { input: yaml(IMAGE) });
      same([none.code, none.stdout], [0, ''], 'no difference');
    },
  },
  {
    name: 'Kubectl expose should create services for rc',
    async run(c) {
      await controller(c);
      const port = async (name: string, expected: number) => {
        const { spec } = await c.api.get(`${c.core}/services/${name}`);
        same([spec.ports.length, spec.ports[0].port, spec.ports[0].targetPort], [1, expected, 80], name);
        await eventually(`endpoints of ${name}`, async () => same((await c.api.get(`${c.core}/endpoints/${name}`)).subsets?.[0]?.ports?.[0]?.port, 80, 'port'));
      };
      await c.kubectl('expose', 'rc', 'agnhost-primary', '--name=rm2', '--port=1234', '--target-port=80');
      await port('rm2', 1234);
      await c.kubectl('expose', 'service', 'rm2', '--name=rm3', '--port=2345', '--target-port=80');
      await port('rm3', 2345);
    },
  },
  {
    name: 'Kubectl label should update the label on a resource; patch should add annotations for pods in rc',
    async run(c) {
      await c.pod('pause');
      await c.kubectl('label', 'pods', 'pause', 'testing-label=testing-label-value');
      has(await c.kubectl('get', 'pod', 'pause', '-L', 'testing-label'), 'testing-label-value');
      await c.kubectl('label', 'pods', 'pause', 'testing-label-');
      truly(!(await c.kubectl('get', 'pod', 'pause', '-L', 'testing-label')).includes('testing-label-value'), 'the label is still there');
      await controller(c);
      for (const pod of await c.pods('app=agnhost-primary')) {
        await c.kubectl('patch', 'pod', pod.metadata.name, '-p', '{"metadata":{"annotations":{"x":"y"}}}');
        same((await c.api.get(`${c.core}/pods/${pod.metadata.name}`)).metadata.annotations.x, 'y', 'annotation');
      }
    },
  },
  {
    name: "Kubectl replace should update a single-container pod's image; server-side dry-run",
    async run(c) {
      await c.kubectl('run', 'e2e-test', `--image=${IMAGE}`, '--labels=run=e2e-test', '--command', '--', 'sleep', '100000');
      await c.running('e2e-test');
      await c.kubectl('patch', 'pod', 'e2e-test', '-p', `{"spec":{"containers":[{"name":"e2e-test","image":"${OTHER_IMAGE}"}]}}`, '--dry-run=server');
      const json = await c.kubectl('get', 'pod', 'e2e-test', '-o', 'json');
      same(JSON.parse(json).spec.containers[0].image, IMAGE, 'image after the dry run');
      await c.kubectlWith(json.replaceAll(IMAGE, OTHER_IMAGE), 'replace', '-f', '-');
      same((await c.api.get(`${c.core}/pods/e2e-test`)).spec.containers[0].image, OTHER_IMAGE, 'image');
      await c.kubectlWith(json, 'replace', '--force', '--grace-period=0', '-f', '-');
      truly((await c.api.get(`${c.core}/pods/e2e-test`)).metadata.uid !== JSON.parse(json).metadata.uid, 'still the old pod');
    },
  },
  {
    name: 'Kubectl run pod should create a pod from an image when restart is Never; Update Demo should scale a replication controller',
    async run(c) {
      await c.kubectl('run', 'never', '--restart=Never', `--image=${IMAGE}`);
      same((await c.api.get(`${c.core}/pods/never`)).spec.restartPolicy, 'Never', 'restart policy');
      await controller(c, 'update-demo', 2);
      const names = async () =>
        (await c.kubectl('get', 'pods', '-o', 'template', '--template={{range.items}}{{.metadata.name}} {{end}}', '-l', 'app=update-demo')).trim().split(' ');
      const check = async (n: number) => {
        await eventually(`${n} pods`, async () => same((await names()).length, n, 'pods'));
        for (const name of await names()) {
          await c.running(name);
          const template =
            '{{if (exists . "status" "containerStatuses")}}{{range .status.containerStatuses}}{{if (and (eq .name "agnhost-primary") (exists . "state" "running"))}}true{{end}}{{end}}{{end}}';
          same(await c.kubectl('get', 'pods', name, '-o', 'template', `--template=${template}`), 'true', name);
        }
      };
      await check(2);
      await c.kubectl('scale', 'rc', 'update-demo', '--replicas=1', '--timeout=1m');
      await check(1);
      await c.kubectl('scale', 'rc', 'update-demo', '--replicas=2', '--timeout=1m');
      await check(2);
      await c.kubectl('delete', '--grace-period=0', '--force', 'rc', 'update-demo');
      await eventually('no pods', async () => same((await c.pods('app=update-demo')).length, 0, 'pods'));
    },
  },
  {
    name: 'Kubectl logs should be able to retrieve and filter logs',
    async run(c) {
      await c.kubectl(
        'run',
        'logs-generator',
        `--image=${IMAGE}`,
        '--restart=Never',
        '--command',
        '--',
        'sh',
        '-c',
        'i=0; while true; do echo "line $i /api/v1/pods"; i=$((i+1)); sleep 0.1; done',
      );
      await c.running('logs-generator');
      const logs = (...args: string[]) => c.kubectl('logs', 'logs-generator', 'logs-generator', ...args);
      await eventually('logs', async () => truly((await logs()).split('\n').length > 15, 'few lines'));
      same((await logs('--tail=1')).trim().split('\n').length, 1, 'lines of --tail=1');
      same((await logs('--limit-bytes=1')).length, 1, 'bytes of --limit-bytes=1');
      const stamped = (await logs('--tail=1', '--timestamps')).trim();
      truly(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) line /.test(stamped), stamped);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const recent = (await logs('--since=1s')).split('\n').length;
      const all = (await logs('--since=24h')).split('\n').length;
      truly(recent < all, `${recent} of ${all}`);
    },
  },
  {
    name: 'Kubectl proxy: --port 0 and --unix-socket',
    async run(c) {
      const child = c.background('proxy', '--port=0', '--disable-filter=true');
      const port = await new Promise<number>((resolve, reject) => {
        child.stdout?.on('data', (chunk: Buffer) => resolve(Number(/:(\d+)/.exec(chunk.toString())?.[1])));
        child.on('exit', () => reject(new Error('kubectl proxy ended')));
      });
      truly((await fetchLocal({ port }, '/api/')).versions.includes('v1'), 'versions by port');
      const folder = mkdtempSync(join(tmpdir(), 'conf-proxy-'));
      c.onEnd(async () => rmSync(folder, { recursive: true, force: true }));
      const socketPath = join(folder, 'sock');
      c.background('proxy', `--unix-socket=${socketPath}`);
      await eventually('the socket', async () => truly((await fetchLocal({ socketPath }, '/api')).versions.includes('v1'), 'versions by socket'));
    },
  },
  {
    name: 'Kubectl version, api-versions, cluster-info, cluster-info dump, create quota, taint, apply',
    async run(c) {
      has(await c.kubectl('version'), /Client Version: v1/, /Server Version: v1\.36/);
      const versions = (await c.kubectl('api-versions')).split('\n');
      for (const one of ['v1', 'apps/v1', 'batch/v1', 'discovery.k8s.io/v1', 'networking.k8s.io/v1']) truly(versions.includes(one), `no ${one}`);
      has(await c.kubectl('cluster-info'), /Kubernetes control plane.*is running at/);
      has(await c.kubectl('cluster-info', 'dump', '--namespaces', c.ns), '"kind": "NodeList"', '"kind": "PodList"', '"kind": "EventList"');
      await c.kubectl('create', 'quota', 'million', '--hard=pods=1000000,services=1000000');
      same((await c.api.get(`${c.core}/resourcequotas/million`)).spec.hard, { pods: '1M', services: '1M' }, 'quota');
      truly((await c.kubectlRaw(['create', 'quota', 'scopes', '--hard=hard=pods=1000000', '--scopes=Foo'])).code !== 0, 'an invalid quota was made');
      await c.kubectlWith('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm"},"data":{"a":"1","b":"2"}}', 'apply', '-f', '-');
      await c.kubectlWith('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm"},"data":{"a":"3"}}', 'apply', '-f', '-');
      same((await c.api.get(`${c.core}/configmaps/cm`)).data, { a: '3' }, 'applied');
    },
  },
  {
    name: 'Guestbook application should create and stop a working application',
    async run(c) {
      const tier = (name: string, script: string) => `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: 2
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: c, image: "${IMAGE}", command: [sh, -c, ${JSON.stringify(script)}], ports: [{ containerPort: 80 }], readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } }]
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ port: 80 }] }
`;
      const cgi =
        'mkdir -p /tmp/w/cgi-bin; printf \'#!/bin/sh\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n"; wget -q -O - http://backend/\' > /tmp/w/cgi-bin/get; chmod +x /tmp/w/cgi-bin/get; exec httpd -f -p 80 -h /tmp/w';
      const yaml = tier('backend', 'mkdir -p /tmp/w; echo entry > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w') + tier('frontend', cgi);
      await c.kubectlWith(yaml, 'create', '-f', '-');
      await c.kubectl('rollout', 'status', 'deployment/frontend', '--timeout=60s');
      await c.kubectl('rollout', 'status', 'deployment/backend', '--timeout=60s');
      await eventually('the application', async () => {
        const answer = await c.api.raw('GET', `${c.core}/services/frontend/proxy/cgi-bin/get`);
        same([answer.code, answer.text.trim()], [200, 'entry'], 'answer');
      });
      await c.kubectlWith(yaml, 'delete', '--grace-period=0', '--force', '-f', '-');
      await eventually('all pods to go', async () => same((await c.pods()).length, 0, 'pods'));
    },
  },
];
