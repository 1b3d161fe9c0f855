/** One pod that runs to its end, and what it must say. The names follow the conformance entries of Kubernetes v1.36. */
export interface NodeCheck {
  readonly name: string;
  readonly spec: PodSpec;
  readonly metadata?: object;
  /** Lines its log must have. */
  readonly says?: readonly (string | RegExp)[];
  readonly phase?: 'Succeeded' | 'Failed';
  /** Parts of the first container's terminated state. */
  readonly ended?: object;
}

export type PodSpec = Record<string, unknown> & { containers?: readonly object[] };

export const IMAGE = 'coxswain.local/guestbook:1';

const sh = (script: string, more: object = {}) => ({ name: 'c', image: IMAGE, command: ['sh', '-c', script], ...more });
const run = (script: string, container: object = {}, pod: object = {}): PodSpec => ({ containers: [sh(script, container)], ...pod });
const from = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
const limit = (resource: string, divisor?: string) => ({ resourceFieldRef: { containerName: 'c', resource, ...(divisor ? { divisor } : {}) } });
const resources = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1250m', memory: '64Mi' } };
/** A container whose only volume is mounted at /v. */
const volume = (source: object, script: string, pod: object = {}, container: object = {}): PodSpec =>
  run(script, { volumeMounts: [{ name: 'v', mountPath: '/v' }], ...container }, { volumes: [{ name: 'v', ...source }], ...pod });
const emptyDir = (medium: object, user: number, mode: string): PodSpec =>
  volume(
    { emptyDir: medium },
    `stat -c 'dir %a' /v; ${'medium' in medium ? 'grep -q "/v tmpfs" /proc/mounts && echo tmpfs;' : ''} umask 0; echo hello > /v/f; chmod ${mode} /v/f; stat -c '%a %u' /v/f; cat /v/f`,
    { securityContext: { runAsUser: user } },
  );
const show = 'for f in /v/*; do echo "$f=$(cat $f) $(stat -L -c %a,%u,%g $f)"; done';

/** Objects the pods use. */
export const objects: readonly object[] = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { 'data-1': 'value-1', 'data-2': 'value-2' }, binaryData: { bin: 'AQL/' } },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'secret' }, stringData: { 'data-1': 'secret-1' } },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'foo-service' }, spec: { ports: [{ port: 8765, targetPort: 8080 }], selector: { nothing: 'here' } } },
];

export const checks: readonly NodeCheck[] = [
  {
    name: 'configmap-environment',
    spec: run('', {
      command: ['env'],
      env: [{ name: 'ONE', valueFrom: { configMapKeyRef: { name: 'config', key: 'data-1' } } }],
      envFrom: [{ configMapRef: { name: 'config' } }, { prefix: 'p-', configMapRef: { name: 'config' } }, { secretRef: { name: 'secret', optional: true } }],
    }),
    says: ['ONE=value-1', 'data-2=value-2', 'p-data-1=value-1', 'data-1=secret-1'],
  },
  {
    name: 'secret-environment',
    spec: run('env', { env: [{ name: 'S', valueFrom: { secretKeyRef: { name: 'secret', key: 'data-1' } } }] }),
    says: ['S=secret-1'],
  },
  {
    name: 'termination-message-empty-on-success',
    spec: run('echo DONE', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    ended: { exitCode: 0, reason: 'Completed', message: undefined },
  },
  {
    name: 'termination-message-from-file',
    spec: run('printf OK > /dev/termination-log', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    ended: { message: 'OK' },
  },
  {
    name: 'termination-message-from-log',
    spec: run('printf DONE; exit 3', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    phase: 'Failed',
    ended: { message: 'DONE', exitCode: 3, reason: 'Error' },
  },
  {
    name: 'termination-message-non-root-other-path',
    spec: run('printf OK > /dev/other-log', { terminationMessagePath: '/dev/other-log', securityContext: { runAsUser: 1000 } }),
    ended: { message: 'OK' },
  },
  {
    name: 'command-and-arguments',
    spec: { containers: [{ name: 'c', image: IMAGE, command: ['echo', 'of'], args: ['$(A)', '$$(A)', '$(NONE)'], env: [{ name: 'A', value: 'the pod' }] }] },
    says: ['of the pod $(A) $(NONE)'],
  },
  {
    name: 'variable-expansion',
    spec: run('echo $C', {
      env: [
        { name: 'A', value: 'a' },
        { name: 'B', value: 'b' },
        { name: 'C', value: '$(A);;$(B)' },
      ],
    }),
    says: ['a;;b'],
  },
  {
    name: 'downward-environment',
    metadata: { labels: { zone: 'z1' }, annotations: { note: 'n1' } },
    spec: run('env', {
      env: [
        { name: 'NAME', ...from('metadata.name') },
        { name: 'NS', ...from('metadata.namespace') },
        { name: 'UID', ...from('metadata.uid') },
        { name: 'IP', ...from('status.podIP') },
        { name: 'IPS', ...from('status.podIPs') },
        { name: 'HOST', ...from('status.hostIP') },
        { name: 'HOSTS', ...from('status.hostIPs') },
        { name: 'NODE', ...from('spec.nodeName') },
        { name: 'SA', ...from('spec.serviceAccountName') },
        { name: 'ZONE', ...from("metadata.labels['zone']") },
        { name: 'NOTE', ...from("metadata.annotations['note']") },
        { name: 'CPU', valueFrom: limit('limits.cpu') },
        { name: 'MEM', valueFrom: limit('limits.memory') },
      ],
    }),
    says: [
      'NAME=downward-environment',
      'NS=node-checks',
      /^UID=[0-9a-f-]{36}$/,
      /^IP=10\.\d+\.\d+\.\d+$/,
      /^IPS=10\./,
      /^HOST=\d+\./,
      /^HOSTS=\d+\./,
      /^NODE=.+/,
      'SA=default',
      'ZONE=z1',
      'NOTE=n1',
      /^CPU=[1-9]\d*$/,
      /^MEM=[1-9]\d{8,}$/,
    ],
  },
  {
    name: 'service-environment',
    spec: run('env'),
    says: [/^FOO_SERVICE_SERVICE_HOST=10\./, 'FOO_SERVICE_SERVICE_PORT=8765', /^FOO_SERVICE_PORT=tcp:\/\/10\..*:8765$/, 'FOO_SERVICE_PORT_8765_TCP_PROTO=tcp'],
  },
  {
    name: 'init-containers-in-order',
    spec: run(
      'cat /v/log',
      { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      {
        volumes: [{ name: 'v', emptyDir: {} }],
        initContainers: ['one', 'two'].map((n) => ({ ...sh(`echo ${n} >> /v/log`, { volumeMounts: [{ name: 'v', mountPath: '/v' }] }), name: n })),
      },
    ),
    says: ['one', 'two'],
  },
  {
    name: 'init-failure-fails-the-pod',
    spec: run('echo never', {}, { initContainers: [{ ...sh('exit 1'), name: 'init' }] }),
    phase: 'Failed',
  },
  { name: 'always-fails', spec: run('false'), phase: 'Failed', ended: { reason: 'Error', exitCode: 1 } },
  {
    name: 'read-only-root',
    spec: run('{ echo x > /f; } 2> /dev/null || echo refused', { securityContext: { readOnlyRootFilesystem: true } }),
    says: ['refused'],
  },
  { name: 'writable-root', spec: run('echo x > /f && cat /f', { securityContext: { readOnlyRootFilesystem: false } }), says: ['x'] },
  {
    name: 'managed-etc-hosts',
    spec: run('cat /etc/hosts', {}, { hostname: 'me', subdomain: 'sub', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a.example', 'b.example'] }] }),
    says: [/^# Kubernetes-managed hosts file/, /^1\.2\.3\.4\s+a\.example\s+b\.example$/, /^10\..*\s+me\.sub\.node-checks\.svc\.cluster\.local\s+me$/],
  },
  { name: 'host-network-etc-hosts', spec: run('cat /etc/hosts; true', {}, { hostNetwork: true }), says: [/^# Kubernetes-managed hosts file \(host network\)/] },
  {
    name: 'own-etc-hosts',
    spec: run(
      'grep -c managed /etc/hosts || true',
      { volumeMounts: [{ name: 'h', mountPath: '/etc/hosts' }] },
      { volumes: [{ name: 'h', hostPath: { path: '/etc/hosts', type: 'File' } }] },
    ),
    says: ['0'],
  },
  { name: 'run-as-user', spec: run('id -u', { securityContext: { runAsUser: 65534 } }), says: ['65534'] },
  {
    name: 'run-as-user-and-group',
    spec: run('id -u; id -g; id -G', {}, { securityContext: { runAsUser: 1001, runAsGroup: 2002, supplementalGroups: [3003], fsGroup: 4004 } }),
    says: ['1001', '2002', '2002 3003 4004'],
  },
  {
    name: 'container-user-wins',
    spec: run('id -u; id -g', { securityContext: { runAsUser: 1001, runAsGroup: 2002 } }, { securityContext: { runAsUser: 7 } }),
    says: ['1001', '2002'],
  },
  {
    name: 'unprivileged',
    spec: run('ip link add dummy0 type dummy 2>/dev/null || echo refused', { securityContext: { privileged: false } }),
    says: ['refused'],
  },
  {
    name: 'no-privilege-escalation',
    spec: run('grep NoNewPrivs /proc/self/status', { securityContext: { allowPrivilegeEscalation: false, runAsUser: 1000 } }),
    says: [/NoNewPrivs:\s+1/],
  },
  {
    name: 'capabilities-dropped',
    spec: run('chown 1:1 /tmp 2>/dev/null || echo refused', { securityContext: { capabilities: { drop: ['ALL'] } } }),
    says: ['refused'],
  },
  {
    name: 'sysctls',
    spec: run('cat /proc/sys/kernel/shm_rmid_forced', {}, { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] } }),
    says: ['1'],
  },
  {
    name: 'subpath-expression',
    spec: run(
      'echo hi > /sub/f; cat /v/*/f; ls /v',
      {
        env: [{ name: 'NAME', ...from('metadata.name') }],
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'v', mountPath: '/sub', subPathExpr: '$(NAME)' },
        ],
      },
      { volumes: [{ name: 'v', emptyDir: {} }] },
    ),
    says: ['hi', 'subpath-expression'],
  },
  {
    name: 'configmap-volume',
    spec: volume({ configMap: { name: 'config' } }, `${show}; od -An -tx1 /v/bin`),
    says: ['/v/data-1=value-1 644,0,0', '/v/data-2=value-2 644,0,0', /01 02 ff/],
  },
  { name: 'configmap-volume-default-mode', spec: volume({ configMap: { name: 'config', defaultMode: 0o400 } }, show), says: ['/v/data-1=value-1 400,0,0'] },
  {
    name: 'configmap-volume-items-non-root',
    spec: volume(
      { configMap: { name: 'config', items: [{ key: 'data-2', path: 'path/to/data-2', mode: 0o444 }] } },
      'id -u; cat /v/path/to/data-2; echo; stat -L -c %a /v/path/to/data-2; ls /v',
      { securityContext: { runAsUser: 1000 } },
    ),
    says: ['1000', 'value-2', '444', 'path'],
  },
  {
    name: 'secret-volume',
    spec: volume({ secret: { secretName: 'secret' } }, `${show}; grep -q '/v tmpfs' /proc/mounts && echo tmpfs`),
    says: ['/v/data-1=secret-1 644,0,0', 'tmpfs'],
  },
  {
    name: 'secret-volume-non-root-fsgroup',
    spec: volume({ secret: { secretName: 'secret', defaultMode: 0o440 } }, show, { securityContext: { runAsUser: 1000, fsGroup: 1001 } }),
    says: ['/v/data-1=secret-1 440,0,1001'],
  },
  {
    name: 'secret-volume-item-mode',
    spec: volume({ secret: { secretName: 'secret', items: [{ key: 'data-1', path: 'new-path', mode: 0o400 }] } }, show),
    says: ['/v/new-path=secret-1 400,0,0'],
  },
  {
    name: 'optional-volumes-missing',
    spec: volume({ projected: { sources: [{ configMap: { name: 'none', optional: true } }, { secret: { name: 'none', optional: true } }] } }, 'ls /v | wc -l'),
    says: ['0'],
  },
  {
    name: 'projected-combined',
    metadata: { labels: { a: 'b' } },
    spec: volume(
      {
        projected: {
          defaultMode: 0o440,
          sources: [
            { configMap: { name: 'config', items: [{ key: 'data-1', path: 'config' }] } },
            { secret: { name: 'secret', items: [{ key: 'data-1', path: 'secret' }] } },
            { downwardAPI: { items: [{ path: 'podname', fieldRef: { fieldPath: 'metadata.name' } }] } },
            { serviceAccountToken: { path: 'token', audience: 'someone' } },
          ],
        },
      },
      'cat /v/config; echo; cat /v/secret; echo; cat /v/podname; echo; stat -L -c "%a" /v/config; wc -c < /v/token',
    ),
    says: ['value-1', 'secret-1', 'projected-combined', '440', /^\d{3,}$/],
  },
  {
    name: 'downward-volume',
    metadata: { labels: { one: '1', two: '2' }, annotations: { builder: 'bar' } },
    spec: volume(
      {
        downwardAPI: {
          items: [
            { path: 'podname', fieldRef: { fieldPath: 'metadata.name' }, mode: 0o400 },
            { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
            { path: 'annotations', fieldRef: { fieldPath: 'metadata.annotations' } },
            { path: 'cpu_limit', ...limit('limits.cpu', '1m') },
            { path: 'cpu_request', ...limit('requests.cpu', '1m') },
            { path: 'memory_limit', ...limit('limits.memory') },
            { path: 'memory_request', ...limit('requests.memory') },
          ],
        },
      },
      'for f in /v/*; do echo "$f"; cat $f; echo; done; stat -L -c %a /v/podname; stat -L -c %a /v/labels',
      {},
      { resources },
    ),
    says: ['downward-volume', 'one="1"', 'two="2"', /^builder="bar"$/, '1250', '250', '67108864', '33554432', '400', '644'],
  },
  {
    name: 'downward-volume-allocatable',
    spec: volume(
      {
        downwardAPI: {
          items: [
            { path: 'cpu', ...limit('limits.cpu') },
            { path: 'memory', ...limit('limits.memory') },
          ],
        },
      },
      'cat /v/cpu; echo; cat /v/memory; echo',
    ),
    says: [/^[1-9]\d?$/, /^[1-9]\d{8,}$/],
  },
  { name: 'emptydir-root-0644-default', spec: emptyDir({}, 0, '0644'), says: ['dir 777', '644 0', 'hello'] },
  { name: 'emptydir-root-0777-tmpfs', spec: emptyDir({ medium: 'Memory' }, 0, '0777'), says: ['dir 777', 'tmpfs', '777 0', 'hello'] },
  { name: 'emptydir-non-root-0644-tmpfs', spec: emptyDir({ medium: 'Memory' }, 1000, '0644'), says: ['dir 777', 'tmpfs', '644 1000'] },
  { name: 'emptydir-non-root-0666-default', spec: emptyDir({}, 1000, '0666'), says: ['dir 777', '666 1000'] },
  {
    name: 'emptydir-shared',
    spec: {
      volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
      containers: [
        sh('for i in $(seq 200); do [ -f /v/f ] && break; sleep 0.1; done; cat /v/f', { volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
        { ...sh('echo from the other > /v/f', { volumeMounts: [{ name: 'v', mountPath: '/v' }] }), name: 'other' },
      ],
    },
    says: ['from the other'],
  },
  {
    name: 'subpath-of-configmap-over-file',
    spec: run(
      'cat /etc/motd.txt; cat /s',
      {
        volumeMounts: [
          { name: 'c', mountPath: '/etc/motd.txt', subPath: 'data-1' },
          { name: 's', mountPath: '/s', subPath: 'data-1' },
        ],
      },
      {
        volumes: [
          { name: 'c', configMap: { name: 'config' } },
          { name: 's', secret: { secretName: 'secret' } },
        ],
      },
    ),
    says: ['value-1secret-1'],
  },
  {
    name: 'several-volumes-do-not-conflict',
    spec: run(
      'cat /a/data-1 /b/data-1 /c/data-1',
      { volumeMounts: ['a', 'b', 'c'].map((name) => ({ name, mountPath: `/${name}` })) },
      {
        volumes: [
          { name: 'a', secret: { secretName: 'secret' } },
          { name: 'b', configMap: { name: 'config' } },
          { name: 'c', projected: { sources: [{ configMap: { name: 'config' } }] } },
        ],
      },
    ),
    says: ['secret-1value-1value-1'],
  },
  { name: 'host-path-is-checked', spec: volume({ hostPath: { path: '/proc/version', type: 'File' } }, 'cut -c1-5 /v'), says: ['Linux'] },
  {
    name: 'hostname-and-dns',
    spec: run(
      'hostname; cat /etc/resolv.conf',
      {},
      {
        hostname: 'fox',
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'], options: [{ name: 'ndots', value: '2' }] },
      },
    ),
    says: ['fox', 'nameserver 1.1.1.1', 'search resolv.conf.local', 'options ndots:2'],
  },
  {
    name: 'shared-process-namespace',
    spec: {
      shareProcessNamespace: true,
      containers: [
        sh('for i in $(seq 100); do pidof sleep >/dev/null && break; sleep 0.1; done; pidof sleep > /dev/null && echo seen; kill $(pidof sleep); true'),
        { ...sh('exec sleep 1000 || true'), name: 'other', command: ['sh', '-c', 'sleep 1000; exit 0'] },
      ],
    },
    says: ['seen'],
  },
  { name: 'stdin-closed', spec: run('cat; echo end'), says: ['end'] },
  { name: 'image-not-by-root', spec: { containers: [{ ...sh('id -u'), securityContext: { runAsNonRoot: true, runAsUser: 5 } }] }, says: ['5'] },
];

/** The pods of the checks. */
export const checkPods = checks.map(({ name, spec, metadata }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, ...spec },
}));
