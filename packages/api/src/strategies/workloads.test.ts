import { describe, expect, test } from 'vitest';
import { admit, update } from '../testing/admit.js';
import { validateJobUpdate } from '../validation/job.js';
import { podStatusStrategy } from './pod.js';

const container = { name: 'c', image: 'nginx:1.27', ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1000m' } } };
const pod = (spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: [container], ...spec },
});
const deployment = (spec: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    ...spec,
  },
});

describe('pods', () => {
  test('a created pod has every default', () => {
    const { object, errors } = admit(pod());
    expect(errors).toEqual([]);
    expect(object.metadata.generation).toBe(1);
    expect(object.status).toEqual({ phase: 'Pending', qosClass: 'Burstable' });
    expect(object.spec).toEqual({
      containers: [
        {
          name: 'c',
          image: 'nginx:1.27',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      securityContext: {},
      enableServiceLinks: true,
    });
  });

  test.each([
    [{ containers: [] }, 'spec.containers: Required value'],
    [
      { containers: [{ ...container, name: 'A_b' }] },
      `spec.containers[0].name: Invalid value: "A_b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
    ],
    [{ restartPolicy: 'Sometimes' }, 'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    [{ containers: [container, container] }, 'spec.containers[1].name: Duplicate value: "c"'],
    [{ containers: [{ ...container, image: '' }] }, 'spec.containers[0].image: Required value'],
    [
      { containers: [{ ...container, resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }] },
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      {
        containers: [
          { ...container, resources: { requests: { cpu: '600m' } } },
          { ...container, name: 'd' },
        ],
        resources: { requests: { cpu: '1500m' } },
      },
      'spec.resources.requests[cpu]: Invalid value: "1500m": must be greater than or equal to aggregate container requests of 1600m',
    ],
    [
      {
        initContainers: [
          { ...container, name: 's', restartPolicy: 'Always' },
          { ...container, name: 'i' },
        ],
        resources: { requests: { cpu: '1' }, limits: { cpu: '3' } },
      },
      'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
    ],
    [
      { containers: [{ ...container, resources: { limits: { memory: '2Gi' }, requests: { memory: '1Mi' } } }], resources: { limits: { memory: '1Gi' } } },
      'spec.resources.containers[0][memory].limits: Invalid value: "2Gi": must be less than or equal to pod limits of 1Gi',
    ],
    [
      { resources: { limits: { 'ephemeral-storage': '1Gi' }, requests: { cpu: '1' } } },
      'spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
    ],
    [{ resources: { claims: [{ name: 'gpu' }] } }, 'spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level'],
    [{ containers: [{ ...container, volumeMounts: [{ name: 'v', mountPath: '/v' }] }] }, 'spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    [
      { volumes: [{ name: 'v', secret: { secretName: 's' }, hostPath: { path: '/' } }] },
      'spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type',
    ],
    [{ ephemeralContainers: [{ name: 'e', image: 'i' }] }, 'spec.ephemeralContainers: Forbidden: cannot be set on create'],
    [{ hostNetwork: true, hostnameOverride: 'x' }, 'spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true'],
    [{ dnsPolicy: 'None' }, 'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    [
      { initContainers: [{ ...container, name: 'i', readinessProbe: { tcpSocket: { port: 1 } } }] },
      'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
    [
      {
        containers: [
          {
            ...container,
            ports: [
              { containerPort: 80, hostPort: 81 },
              { containerPort: 82, hostPort: 81 },
            ],
          },
        ],
      },
      'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//81"',
    ],
    [
      { tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] },
      'spec.tolerations[0].operator: Invalid value: "b": value must be empty when `operator` is \'Exists\'',
    ],
    [
      { containers: [{ ...container, env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }] },
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
    [
      { containers: [{ ...container, env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.other' } } }] }] },
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.other": error converting fieldPath: field label not supported: spec.other',
    ],
    [
      { containers: [{ ...container, env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '3m' } } }] }] },
      'spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
    ],
    [
      { containers: [{ ...container, resources: { limits: { 'hugepages-2Mi': '2Mi' } } }] },
      'spec.containers[0].resources: Forbidden: HugePages require cpu or memory',
    ],
    [
      { containers: [{ ...container, resources: { claims: [{ name: 'b' }] } }] },
      'spec.containers[0].resources.claims[0]: Not found: "b": must be one of the names in pod.spec.resourceClaims which is empty',
    ],
    [
      { restartPolicy: 'Never', containers: [{ ...container, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }] },
      "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'",
    ],
    [
      { containers: [{ ...container, securityContext: { procMount: 'Foo' } }] },
      'spec.containers[0].securityContext.procMount: Unsupported value: "Foo": supported values: "Default", "Unmasked"',
    ],
    [
      { securityContext: { supplementalGroupsPolicy: 'Foo' } },
      'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "Foo": supported values: "Merge", "Strict"',
    ],
    [
      { securityContext: { seccompProfile: { type: 'Localhost' } } },
      'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
    ],
    [
      { os: { name: 'linux' }, securityContext: { windowsOptions: { runAsUserName: 'me' } } },
      'spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
    ],
    [{ os: { name: 'windows' }, securityContext: { fsGroup: 1 } }, 'spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod'],
    [
      { os: { name: 'windows' }, containers: [{ ...container, securityContext: { runAsUser: 1 } }] },
      'spec.containers[0].securityContext.runAsUser: Forbidden: cannot be set for a windows pod',
    ],
    [
      { securityContext: { windowsOptions: { hostProcess: true } } },
      'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
    ],
    [
      { containers: [{ ...container, securityContext: { windowsOptions: { runAsUserName: 'a\\b\\c' } } }] },
      'spec.containers[0].securityContext.windowsOptions.runAsUserName: Invalid value: "a\\\\b\\\\c": runAsUserName cannot contain more than one backslash',
    ],
  ])('%# is refused', (spec, message) => expect(admit(pod(spec)).errors).toContain(message));

  test('what an operating system has a meaning for is allowed', () => {
    const windowsOptions = { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' };
    expect(admit(pod({ os: { name: 'windows' }, hostNetwork: true, hostPID: false, securityContext: { windowsOptions } })).errors).toEqual([]);
    expect(admit(pod({ os: { name: 'linux' }, securityContext: { fsGroup: 1, sysctls: [] } })).errors).toEqual([]);
  });

  test.each([
    ['Never', {}, 42, false],
    ['Never', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] }, 42, true],
    ['Never', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] }, 1, false],
    ['Never', { restartPolicy: 'OnFailure' }, 1, true],
    ['Always', { restartPolicy: 'Never' }, 1, false],
    ['Always', {}, 0, true],
  ])('a container of a pod with policy %s and %j, ended with %i: starts again: %s', (restartPolicy, own, exitCode, may) => {
    const { object, errors } = admit(pod({ restartPolicy, containers: [{ ...container, ...own }] }));
    expect(errors).toEqual([]);
    const state = (value: object) => ({ ...object, status: { containerStatuses: [{ name: 'c', state: value }] } });
    const found = podStatusStrategy.validateUpdate?.(state({ running: {} }), state({ terminated: { exitCode } })) ?? [];
    expect(found.map(({ field }) => field)).toEqual(may ? [] : ['status.containerStatuses[0].state']);
  });

  test('metadata is checked', () => {
    expect(admit(pod({}, { name: '' })).errors).toContain('metadata.name: Required value: name or generateName is required');
    expect(admit(pod({}, { labels: { 'a b': 'c' } })).errors[0]).toContain('metadata.labels: Invalid value: "a b": name part must consist of');
  });

  test('an update may change the image, bumping the generation, and nothing else', () => {
    const { object } = admit(pod());
    const changed = update(object, (it) => {
      it.spec.containers[0].image = 'nginx:1.28';
    });
    expect(changed.errors).toEqual([]);
    expect(changed.object.metadata.generation).toBe(2);
    const refused = update(object, (it) => {
      it.spec.hostNetwork = true;
    });
    expect(refused.errors.join()).toContain('spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`');
    expect(update(object, (it) => void (it.status = { phase: 'Failed' })).object.status).toEqual(object.status);
  });
});

describe('deployments', () => {
  test('defaults', () => {
    const { object, errors } = admit(deployment());
    expect(errors).toEqual([]);
    expect(object.spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    });
    expect(object.spec.template.spec.containers[0].imagePullPolicy).toBe('Always');
  });

  test('the selector must match and may not change', () => {
    expect(admit(deployment({ selector: { matchLabels: { app: 'x' } } })).errors).toEqual([
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ]);
    const { object } = admit(deployment());
    const { errors } = update(object, (it) => {
      it.spec.selector.matchLabels = { app: 'y' };
      it.spec.template.metadata.labels = { app: 'y' };
    });
    expect(errors).toEqual(['spec.selector: Invalid value: {"matchLabels":{"app":"y"}}: field is immutable']);
  });
});

test('a job finds its pods by uid', () => {
  const { object, errors } = admit({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
  });
  expect(errors).toEqual([]);
  expect(object.spec.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } });
  expect(object.spec).toMatchObject({ completions: 1, parallelism: 1, backoffLimit: 6, completionMode: 'NonIndexed' });
});

test('a stateful set may mount the volumes of its claims', () => {
  const { errors } = admit({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 's' },
    spec: {
      serviceName: 's',
      selector: { matchLabels: { a: 'b' } },
      template: {
        metadata: { labels: { a: 'b' } },
        spec: { containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] },
      },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
    },
  });
  expect(errors).toEqual([]);
});

describe('jobs', () => {
  const job = (spec: object): object => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }, ...spec },
  });
  const failure = (rule: object): object => job({ podFailurePolicy: { rules: [rule] } });
  test.each([
    [job({ managedBy: 'a b' }), 'spec.managedBy: Invalid value: "a b": must be a domain-prefixed path (such as "acme.io/foo")'],
    [
      job({ successPolicy: { rules: [{ succeededCount: 1 }] } }),
      'spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode',
    ],
    [
      job({ completionMode: 'Indexed', completions: 3, successPolicy: { rules: [{}] } }),
      'spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified',
    ],
    [
      job({ completionMode: 'Indexed', completions: 3, successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 3 }] } }),
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)',
    ],
    [
      job({ completionMode: 'Indexed', completions: 3, successPolicy: { rules: [{ succeededIndexes: '2,1' }] } }),
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "2,1": error parsing succeededIndexes: non-increasing order, previous: 2, current: 1',
    ],
    [
      failure({ action: 'FailIndex', onExitCodes: { operator: 'In', values: [1] } }),
      'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    ],
    [
      failure({ action: 'FailJob', onExitCodes: { operator: 'In', values: [2, 1] } }),
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1]: must be ordered',
    ],
    [
      failure({ action: 'FailJob', onExitCodes: { operator: 'In', values: [1, 1] } }),
      'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Duplicate value: 1',
    ],
    [
      failure({ action: 'FailJob', onExitCodes: { containerName: 'x', operator: 'In', values: [1] } }),
      'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
    ],
    [
      job({ podReplacementPolicy: 'TerminatingOrFailed', podFailurePolicy: { rules: [] } }),
      'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
    ],
  ])('%# is refused', (it, message) => expect(admit(it).errors).toContain(message));

  test('all policies at once are allowed', () => {
    const { errors } = admit(
      job({
        managedBy: 'acme.io/foo',
        completionMode: 'Indexed',
        completions: 5,
        backoffLimitPerIndex: 1,
        maxFailedIndexes: 5,
        successPolicy: { rules: [{ succeededIndexes: '0,2-4', succeededCount: 4 }] },
        podFailurePolicy: {
          rules: [
            { action: 'FailIndex', onExitCodes: { containerName: 'c', operator: 'NotIn', values: [0, 7] } },
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          ],
        },
      }),
    );
    expect(errors).toEqual([]);
  });
});

describe('jobs that do not run', () => {
  const job = (spec: object, status: object = {}) =>
    ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'j' },
      spec: { suspend: true, ...spec },
      status,
    }) as never;
  const template = (pod: object = {}, container: object = {}) => ({ template: { spec: { ...pod, containers: [{ name: 'c', image: 'i', ...container }] } } });
  const suspended = [{ type: 'Suspended', status: 'True' }];
  const elsewhere = template({ nodeSelector: { a: 'b' } }, { resources: { requests: { cpu: '1' } } });
  const fields = (after: object, before: never) => validateJobUpdate(job(after), before).map(({ field }) => field);

  test.each([
    ['has never run', {}, []],
    ['is halted', { startTime: 'x', conditions: suspended }, []],
    ['still has pods', { startTime: 'x', active: 1, conditions: suspended }, ['spec.template']],
    ['is not halted yet', { startTime: 'x' }, ['spec.template']],
  ])('one that %s', (_what, status, expected) => expect(fields(elsewhere, job(template(), status))).toEqual(expected));

  test('keep what their pods do', () => expect(fields(template({}, { image: 'other' }), job(template()))).toEqual(['spec.template']));
  test('that run keep everything', () => expect(fields(elsewhere, job({ ...template(), suspend: false }))).toEqual(['spec.template']));
});
