import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../definition.js';
import { definitionOf, admit, update, updateStatus } from '../../testing/admit.js';
import { mergeResize, resizeStrategy } from '../../strategies/pod.js';

const container = { name: 'c', image: 'i' };
const pod = (spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: [container], ...spec },
});
const withVolume = (source: object, mounts: object[] = []): object => ({
  volumes: [{ name: 'v', ...source }],
  containers: [{ ...container, volumeMounts: mounts }],
});
const withContainer = (fields: object): object => ({ containers: [{ ...container, ...fields }] });
const LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

describe('volumes', () => {
  test.each<[object, ...string[]]>([
    [{ emptyDir: { sizeLimit: '-1' } }, 'spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity'],
    [{ hostPath: { path: '' } }, 'spec.volumes[0].hostPath.path: Required value'],
    [{ hostPath: { path: '/a/../b' } }, 'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\''],
    [{ gitRepo: { repository: 'r', directory: '/d' } }, 'spec.volumes[0].gitRepo.directory: Invalid value: "/d": must be a relative path'],
    [
      { gcePersistentDisk: { pdName: 'd', partition: 256 } },
      'spec.volumes[0].persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive',
    ],
    [{ nfs: { server: 's', path: '' } }, 'spec.volumes[0].nfs.path: Required value', 'spec.volumes[0].nfs.path: Invalid value: "": must be an absolute path'],
    [
      { iscsi: { targetPortal: 't', iqn: 'x', lun: 256, chapAuthSession: true } },
      'spec.volumes[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
      'spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive',
      'spec.volumes[0].iscsi.secretRef: Required value',
    ],
    [{ iscsi: { targetPortal: 't', iqn: 'eui.1', lun: 0 } }, 'spec.volumes[0].iscsi.iqn: Invalid value: "eui.1": must be valid format'],
    [{ fc: {} }, 'spec.volumes[0].fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both'],
    [{ fc: { targetWWNs: ['a'] } }, 'spec.volumes[0].fc.lun: Required value: lun is required if targetWWNs is specified'],
    [{ flocker: {} }, 'spec.volumes[0].flocker: Required value: one of datasetName and datasetUUID is required'],
    [{ rbd: { image: 'i' } }, 'spec.volumes[0].rbd.monitors: Required value'],
    [
      { quobyte: { registry: 'r', volume: 'v' } },
      'spec.volumes[0].quobyte.registry: Invalid value: "r": must be a host:port pair or multiple pairs separated by commas',
    ],
    [
      { flexVolume: { driver: 'd', options: { 'a.k8s.io/b': 'c' } } },
      'spec.volumes[0].flexVolume.options[a.k8s.io/b]: Invalid value: "a.k8s.io/b": kubernetes.io and k8s.io namespaces are reserved',
    ],
    [
      { azureDisk: { diskName: 'd', diskURI: 'u' } },
      'spec.volumes[0].azureDisk.diskURI: Unsupported value: "u": supported values: "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"',
    ],
    [
      { secret: { secretName: 's', items: [{ key: 'k', path: '..a' }] } },
      'spec.volumes[0].secret.items[0].path: Invalid value: "..a": must not start with \'..\'',
    ],
    [
      { downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'spec.nodeName' } }] } },
      'spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
    ],
    [
      { projected: { sources: [{ secret: { name: 's', items: [{ key: 'k', path: 'p' }] }, configMap: { name: 'm', items: [{ key: 'k', path: 'p' }] } }] } },
      'spec.volumes[0].projected: Invalid value: "m": conflicting duplicate paths',
      'spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source',
    ],
    [
      { projected: { sources: [{ serviceAccountToken: { path: '../t' } }] } },
      'spec.volumes[0].projected.path: Invalid value: "../t": must not contain \'..\'',
      'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
    ],
    [{ csi: { driver: 'd', nodePublishSecretRef: {} } }, 'spec.volumes[0].csi.nodePublishSecretRef.name: Required value'],
    [{ image: {} }, 'spec.volumes[0].image.reference: Required value'],
    [
      {
        ephemeral: { volumeClaimTemplate: { metadata: { name: 'n' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } } },
      },
      'spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set',
    ],
    [{ emptyDir: {}, downwardAPI: {} }, 'spec.volumes[0].downwarAPI: Forbidden: may not specify more than 1 volume type'],
  ])('%#', (source, ...errors) => expect(admit(pod(withVolume(source))).errors).toEqual(errors));

  test('of an erroneous volume no mount is found', () => {
    const { errors } = admit(pod(withVolume({ nfs: { server: '', path: '/' } }, [{ name: 'v', mountPath: '/m' }])));
    expect(errors).toEqual(['spec.volumes[0].nfs.server: Required value', 'spec.containers[0].volumeMounts[0].name: Not found: "v"']);
  });
});

describe('containers', () => {
  const ON_EMPTY = 'spec.containers[0].';
  test.each<[object, ...string[]]>([
    [{ ports: [{ containerPort: 80, hostIP: 'x' }] }],
    [{ ports: [{ containerPort: 0 }] }, `${ON_EMPTY}ports[0].containerPort: Required value`],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'A', key: 'k' } } }] },
      expect.stringContaining(`${ON_EMPTY}env[0].valueFrom.secretKeyRef.name: Invalid value: "A": a lowercase RFC 1123 subdomain`),
    ],
    [
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a/b/c']" } } }] },
      expect.stringContaining(`${ON_EMPTY}env[0].valueFrom.fieldRef: Invalid value: "a/b/c": a valid label key`),
    ],
    [
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "spec['a']" } } }] },
      `${ON_EMPTY}env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec['a']": error converting fieldPath: field label does not support subscript: spec['a']`,
    ],
    [
      { env: [{ name: 'A', valueFrom: { fileKeyRef: { key: 'k', volumeName: 'none', path: 'p' } } }] },
      `${ON_EMPTY}env[0].valueFrom.fileKeyRef.volumeName: Not found: "none"`,
    ],
    [{ envFrom: [{}] }, `${ON_EMPTY}envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``],
    [
      { volumeMounts: [{ name: 'v', mountPath: '/a', subPath: '../b' }] },
      `${ON_EMPTY}volumeMounts[0].name: Not found: "v"`,
      `${ON_EMPTY}volumeMounts.subPath: Invalid value: "../b": must not contain '..'`,
    ],
    [
      { livenessProbe: { httpGet: { path: '/', port: 80, httpHeaders: [{ name: 'a b', value: '' }] } } },
      `${ON_EMPTY}livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
    ],
    [
      { restartPolicy: 'Never', restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [1] } }, { action: 'Restart' }] },
      `${ON_EMPTY}restartPolicyRules[0].action: Unsupported value: "RestartAllContainers": supported values: "Restart"`,
      `${ON_EMPTY}restartPolicyRules[1].exitCodes: Required value: must be specified`,
    ],
    [
      { resizePolicy: [{ resourceName: 'disk', restartPolicy: 'NotRequired' }] },
      `${ON_EMPTY}resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"`,
    ],
    [
      { resources: { limits: { disk: '1' } } },
      `${ON_EMPTY}resources.limits[disk]: Invalid value: "disk": must be a standard resource type or fully qualified`,
      `${ON_EMPTY}resources.limits[disk]: Invalid value: "disk": must be a standard resource for containers`,
      `${ON_EMPTY}resources.requests[disk]: Invalid value: "disk": must be a standard resource type or fully qualified`,
      `${ON_EMPTY}resources.requests[disk]: Invalid value: "disk": must be a standard resource for containers`,
    ],
    [
      { resources: { limits: { cpu: '1', 'hugepages-2Mi': '3Mi' } } },
      `${ON_EMPTY}resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      `${ON_EMPTY}resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
    ],
    [
      { securityContext: { seccompProfile: { type: '' } } },
      `${ON_EMPTY}securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set`,
    ],
  ])('%#', (fields, ...errors) => expect(admit(pod(withContainer(fields))).errors).toEqual(errors));
});

describe('what concerns the whole pod', () => {
  const TERM = 'requiredDuringSchedulingIgnoredDuringExecution';
  test.each<[object, ...string[]]>([
    [{ imagePullSecrets: [{ name: 'Not_A_Name' }, {}] }],
    [{ dnsConfig: { nameservers: ['010.0.0.1'], searches: ['_a.b', '.', 'a_b.c.'] } }],
    [{ dnsPolicy: 'X' }, 'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"'],
    [
      { hostUsers: false, hostNetwork: true, hostPID: true, hostIPC: true },
      'spec.hostNetwork: Forbidden: when `hostUsers` is false',
      'spec.HostPID: Forbidden: when `hostUsers` is false',
      'spec.HostIPC: Forbidden: when `hostUsers` is false',
    ],
    [{ hostnameOverride: 'a'.repeat(65) }, 'spec.hostnameOverride: Too long: may not be more than 64 bytes'],
    [
      { shareProcessNamespace: true, hostPID: true },
      'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
    ],
    [
      { securityContext: { seLinuxChangePolicy: 'MountOption' } },
      'spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"',
    ],
    [
      { resourceClaims: [{ name: 'c' }] },
      'spec.resourceClaims[0]: Invalid value: {"name":"c"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
    ],
    [
      { tolerations: [{ key: 'a', operator: 'Gt', value: '1' }] },
      'spec.tolerations[0].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"',
    ],
    [
      { affinity: { podAffinity: { [TERM]: [{ topologyKey: 't', namespaces: ['A'], labelSelector: {}, matchLabelKeys: ['k'], mismatchLabelKeys: ['k'] }] } } },
      expect.stringContaining(`spec.affinity.podAffinity.${TERM}[0].namespace: Invalid value: "A": ${LABEL}`),
      `spec.affinity.podAffinity.${TERM}[0].matchLabelKeys[0]: Invalid value: "k": exists in both matchLabelKeys and mismatchLabelKeys`,
    ],
    [
      { affinity: { nodeAffinity: { [TERM]: { nodeSelectorTerms: [] } } } },
      `spec.affinity.nodeAffinity.${TERM}.nodeSelectorTerms: Required value: must have at least one node selector term`,
    ],
    [
      {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 't', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'x' } }, matchLabelKeys: ['app'] },
          { maxSkew: 1, topologyKey: 't', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
        ],
      },
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{t, DoNotSchedule}"',
      'spec.topologySpreadConstraints[0][0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector',
    ],
    [{ os: { name: 'plan9' } }, 'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'],
    [{ overhead: { cpu: '-1' } }, 'spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
  ])('%#', (spec, ...errors) => expect(admit(pod(spec, { labels: { app: 'x' } })).errors).toEqual(errors));

  test.each<[Record<string, string>, object, ...string[]]>([
    [
      { 'kubernetes.io/config.mirror': 'm' },
      {},
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "m": must set spec.nodeName if mirror pod annotation is set',
    ],
    [
      { 'controller.kubernetes.io/pod-deletion-cost': '1.5' },
      {},
      'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "1.5": must be a 32bit integer',
    ],
    [
      { 'container.apparmor.security.beta.kubernetes.io/other': 'x' },
      {},
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/other]: Invalid value: "other": container not found',
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/other]: Invalid value: "x": invalid AppArmor profile name: "x"',
    ],
    [
      { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
      { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
      'spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match',
    ],
  ])('annotations %#', (annotations, spec, ...errors) => expect(admit(pod(spec, { annotations })).errors).toEqual(errors));
});

describe('a new pod', () => {
  test('selects by the values of its label keys', () => {
    const labelSelector = { matchLabels: { app: 'x' } };
    const { object } = admit(
      pod(
        {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: 't', labelSelector, matchLabelKeys: ['hash'], mismatchLabelKeys: ['tenant', 'none'] },
              ],
            },
          },
        },
        { labels: { hash: 'h', tenant: 'a' } },
      ),
    );
    expect(object.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector).toEqual({
      ...labelSelector,
      matchExpressions: [
        { key: 'hash', operator: 'In', values: ['h'] },
        { key: 'tenant', operator: 'NotIn', values: ['a'] },
      ],
    });
  });

  test('says of AppArmor the same in annotation and field', () => {
    const key = 'container.apparmor.security.beta.kubernetes.io/c';
    const { object } = admit(pod({}, { annotations: { [key]: 'localhost/p' } }));
    expect(object.spec.containers[0].securityContext).toEqual({ appArmorProfile: { type: 'Localhost', localhostProfile: 'p' } });
    expect(admit(pod({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } })).object.metadata.annotations).toEqual({ [key]: 'runtime/default' });
  });

  test('asks for what its containers ask for together, else for its limit', () => {
    const { object } = admit(pod({ containers: [{ ...container, resources: { requests: { cpu: '100m' } } }], resources: { limits: { memory: '1Gi' } } }));
    expect(object.spec.resources).toEqual({ limits: { memory: '1Gi' }, requests: { cpu: '100m', memory: '1Gi' } });
  });
});

describe('updates', () => {
  const stored = (spec: object = {}, metadata: object = {}): KubeObject => admit(pod(spec, metadata)).object;
  const [AT, MUST] = ['spec.affinity.nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];
  const term = (...keys: string[]) => ({ matchExpressions: keys.map((key) => ({ key, operator: 'Exists' })) });
  const nodes = (...terms: object[]) => ({ nodeAffinity: { [MUST]: { nodeSelectorTerms: terms } } });

  test.each<[object, (spec: KubeObject['spec']) => void, ...string[]]>([
    [
      { schedulingGates: [{ name: 'a' }] },
      (spec) => void (spec.schedulingGates = [{ name: 'b' }]),
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'",
    ],
    [{ schedulingGates: [{ name: 'a' }] }, (spec) => void (spec.nodeSelector = { a: 'b' })],
    [
      { schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'b' } },
      (spec) => void (spec.nodeSelector = { c: 'd' }),
      'spec.nodeSelector: Invalid value: {"c":"d"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    ],
    [{ schedulingGates: [{ name: 'a' }], affinity: nodes(term('a')) }, (spec) => void (spec.affinity = nodes(term('a', 'b')))],
    [
      { schedulingGates: [{ name: 'a' }], affinity: nodes(term('a')) },
      (spec) => void (spec.affinity = nodes(term('a'), term('b'))),
      expect.stringContaining(`${AT}.${MUST}.nodeSelectorTerms: Invalid value`),
    ],
    [
      { schedulingGates: [{ name: 'a' }], affinity: nodes(term('a')) },
      (spec) => void (spec.affinity = nodes(term('b'))),
      expect.stringContaining(`${AT}.${MUST}.nodeSelectorTerms[0]: Invalid value`),
    ],
    [
      { affinity: nodes(term('a')) },
      (spec) => void (spec.affinity = nodes(term('a', 'b'))),
      expect.stringContaining('spec: Forbidden: pod updates may not change fields'),
    ],
    [
      { activeDeadlineSeconds: 5 },
      (spec) => void delete spec.activeDeadlineSeconds,
      'spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value',
    ],
  ])('%#', (spec, change, ...errors) => expect(update(stored(spec), (object) => change(object.spec)).errors).toEqual(errors));

  test('annotations of a mirror stay', () => {
    const key = 'kubernetes.io/config.mirror';
    const before = stored({ nodeName: 'n' }, { annotations: { [key]: 'm' } });
    expect(update(before, ({ metadata }) => void delete metadata.annotations).errors).toEqual([
      `metadata.annotations[${key}]: Forbidden: may not remove or update mirror pod annotation`,
    ]);
  });

  test('what is stored with a fault that was let pass once may stay', () => {
    const before = stored({ containers: [{ ...container, resources: { limits: { cpu: '1', 'hugepages-2Mi': '4Mi' } } }] });
    for (const list of ['limits', 'requests']) before.spec.containers[0].resources[list]['hugepages-2Mi'] = '3Mi';
    expect(update(before, ({ metadata }) => void (metadata.labels = { a: 'b' })).errors).toEqual([]);
  });

  const status = (fields: object) => ({ ...stored().status, ...fields });
  test.each<[object, object, ...string[]]>([
    [{}, { observedGeneration: -1 }, 'status.observedGeneration: Invalid value: -1: must be a non-negative integer'],
    [{}, { qosClass: 'Guaranteed' }, 'status.qosClass: Invalid value: "Guaranteed": field is immutable'],
    [{}, { conditions: [{ type: 'a b', status: 'True' }] }, expect.stringContaining('status.conditions[0].Type: Invalid value: "a b"')],
    [{}, { hostIP: '1.2.3.4', hostIPs: [{ ip: '1.2.3.5' }] }, 'status.hostIPs[0].ip: Invalid value: "1.2.3.5": must be equal to `hostIP`'],
    [
      {},
      { podIPs: [{ ip: '1.2.3.4' }, { ip: '1.2.3.5' }] },
      'status.podIPs: Invalid value: [{"ip":"1.2.3.4"},{"ip":"1.2.3.5"}]: may specify no more than one IP for each IP family',
    ],
    [
      {},
      { resourceClaimStatuses: [{ name: 'x' }] },
      'status.resourceClaimStatuses[0].name: Invalid value: "x": must match the name of an entry in `spec.resourceClaims`',
    ],
  ])('of the status %#', (before, after, ...errors) =>
    expect(updateStatus({ ...stored(), status: status(before) }, (object) => void (object.status = status(after))).errors).toEqual(errors),
  );

  test('a status keeps the generation that somebody has said it is of', () => {
    const before = { ...stored(), status: status({ observedGeneration: 3, conditions: [{ type: 'Ready', status: 'True', observedGeneration: 2 }] }) };
    const { object } = updateStatus(before, (each) => void (each.status = status({ conditions: [{ type: 'Ready', status: 'False' }] })));
    expect(object.status).toMatchObject({ observedGeneration: 3, conditions: [{ observedGeneration: 2 }] });
  });
});

describe('resizing', () => {
  const amounts = (cpu: string) => ({ resources: { limits: { cpu, memory: '1Gi' }, requests: { cpu, memory: '1Gi' } } });
  const stored = admit(pod({ initContainers: [{ name: 'i', image: 'i', ...amounts('1') }], containers: [{ ...container, ...amounts('1') }] })).object;
  const resize = (change: (spec: KubeObject['spec']) => void, before = stored): string[] => {
    const old: KubeObject = { ...before, metadata: { ...before.metadata, resourceVersion: '1' } };
    const written = structuredClone(old);
    change(written.spec);
    const object = mergeResize(old, written);
    definitionOf(object).strategy.default?.(object);
    return (resizeStrategy.validateUpdate?.(object, old) ?? []).map(({ field, message }) => `${field}: ${message}`);
  };
  test.each<[(spec: KubeObject['spec']) => void, ...string[]]>([
    [(spec) => void (spec.containers[0].resources = amounts('2').resources)],
    [(spec) => void (spec.containers[0].image = 'other')],
    [
      (spec) => void (spec.containers[0].resources = { limits: { cpu: '1' } }),
      'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
      'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
      'spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed',
    ],
    [(spec) => void (spec.containers[0].name = 'x'), 'spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize'],
    [(spec) => void spec.containers.push({ ...spec.containers[0], name: 'x' }), 'spec.containers: Forbidden: containers may not be added or removed on resize'],
    [(spec) => void (spec.initContainers[0].resources = amounts('2').resources), 'spec: Forbidden: resources for non-sidecar init containers are immutable'],
  ])('%#', (change, ...errors) => expect(resize(change)).toEqual(errors));
});

describe('warnings', () => {
  test.each<[object, object, ...string[]]>([
    [
      {},
      { annotations: { 'scheduler.alpha.kubernetes.io/critical-pod': '' } },
      'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
    ],
    [
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'beta.kubernetes.io/os', whenUnsatisfiable: 'ScheduleAnyway' }] },
      {},
      'spec.topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
      'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
    ],
    [
      { imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}] },
      {},
      'spec.imagePullSecrets[1].name: duplicate name "a"',
      'spec.imagePullSecrets[2].name: invalid empty name ""',
    ],
    [
      withContainer({
        env: [
          { name: 'A', value: 'a' },
          { name: 'A', value: '$(A)b' },
          { name: 'A', value: 'c' },
        ],
      }),
      {},
      'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
    ],
    [
      withContainer({ ports: [{ containerPort: 80 }, { containerPort: 80, name: 'x' }] }),
      {},
      'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
    ],
    [
      withContainer({ ports: [{ containerPort: 80, hostIP: '1.1.1.1' }] }),
      {},
      'spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.1.1.1}',
    ],
    [
      withVolume({
        configMap: {
          name: 'm',
          items: [
            { key: 'a', path: 'p' },
            { key: 'b', path: 'p/q' },
          ],
        },
      }),
      {},
      'volume "v" (ConfigMap "m"): overlapping paths: "p/q" with "p"',
    ],
    [
      { dnsConfig: { nameservers: ['010.0.0.1'] } },
      {},
      'spec.dnsConfig.nameservers[0]: non-standard IP address "010.0.0.1" will be considered invalid in a future Kubernetes release: use "10.0.0.1"',
    ],
    [
      {},
      { name: 'a.b' },
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    ],
  ])('%#', (spec, metadata, ...warnings) => expect(admit(pod(spec, metadata)).warnings).toEqual(warnings));
});
