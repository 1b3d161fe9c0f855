import { describe, expect, test } from 'vitest';
import { admit, update, updateStatus } from '../testing/admit.js';

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const apps = (kind: string, spec: object = {}, name = 'x'): object => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: { selector: { matchLabels: { a: 'b' } }, template, ...(kind === 'StatefulSet' && { serviceName: 's' }), ...spec },
});
const core = (kind: string, body: object = {}, name = 'x'): object => ({ apiVersion: 'v1', kind, metadata: { name }, ...body });
const controller = core('ReplicationController', { spec: { selector: { a: 'b' }, template } });
const limits = (item: object) => core('LimitRange', { spec: { limits: [{ type: 'Container', ...item }] } });

describe('statuses', () => {
  const path = (key: string, value: number, detail: string) => `status.${key}: Invalid value: ${value}: ${detail}`;
  const MORE = 'cannot be greater than status.replicas';
  test.each<[object, object, object, ...string[]]>([
    [apps('Deployment'), {}, { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }],
    [
      apps('Deployment'),
      {},
      { replicas: 1, updatedReplicas: 2, availableReplicas: 1 },
      path('updatedReplicas', 2, MORE),
      path('availableReplicas', 1, 'cannot be greater than readyReplicas'),
    ],
    [apps('Deployment'), { collisionCount: 2 }, { collisionCount: 1 }, path('collisionCount', 1, 'cannot be decremented')],
    [apps('ReplicaSet'), {}, { replicas: 1, fullyLabeledReplicas: 2 }, path('fullyLabeledReplicas', 2, MORE)],
    [
      controller,
      {},
      { replicas: -1, readyReplicas: 0 },
      path('replicas', -1, 'must be greater than or equal to 0'),
      ...['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'].map((key) => path(key, 0, MORE)),
    ],
    [apps('StatefulSet'), {}, { replicas: 1, currentReplicas: 2 }, path('currentReplicas', 2, MORE)],
    [apps('StatefulSet'), {}, { replicas: 1, availableReplicas: 1 }, path('availableReplicas', 1, 'cannot be greater than status.readyReplicas')],
    [
      apps('DaemonSet'),
      {},
      { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: -1 },
      path('numberReady', -1, 'must be greater than or equal to 0'),
    ],
    [
      core('ResourceQuota', { spec: { hard: { pods: '1' } } }),
      {},
      { used: { pods: '-1' } },
      'status.used[pods]: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      core('PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }),
      {},
      { phase: 'Bound', capacity: { storage: '-1Gi' } },
      'status.capacity[storage]: Invalid value: -1073741824: must be a valid resource quantity',
    ],
    [
      core('Node'),
      {},
      {
        addresses: [
          { type: 'Hostname', address: 'a' },
          { type: 'Hostname', address: 'a' },
        ],
      },
      'status.addresses[1]: Duplicate value: {"type":"Hostname","address":"a"}',
    ],
  ])('%#', (object, before, after, ...errors) => {
    const stored = { ...admit(object).object, status: before };
    expect(updateStatus(stored, (each) => void (each.status = after)).errors).toEqual(errors);
  });
});

describe('what is wrong with new objects', () => {
  test.each<[object, ...string[]]>([
    [apps('StatefulSet', { podManagementPolicy: 'Some' }), "spec.podManagementPolicy: Invalid value: \"Some\": must be 'OrderedReady' or 'Parallel'"],
    [
      apps('StatefulSet', { updateStrategy: { type: 'Some' } }),
      'spec.updateStrategy: Invalid value: {"type":"Some"}: must be \'RollingUpdate\' or \'OnDelete\'',
    ],
    [limits({ maxLimitRequestRatio: { cpu: '500m' } }), 'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
    [
      limits({ min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '3' } }),
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
    ],
    [limits({ type: 'Some' }), 'spec.limits[0].type: Invalid value: "Some": must be a standard limit type or fully qualified'],
    [
      limits({ default: { 'a.example.com/b': '2' }, defaultRequest: { 'a.example.com/b': '1' } }),
      'spec.limits[0].defaultRequest[a.example.com/b]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in a.example.com/b',
    ],
    [core('Secret', { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } }), 'data[ssh-privatekey]: Required value'],
    [
      core('PersistentVolume', { spec: { accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' } } }),
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: null: supported values: "storage"',
    ],
  ])('%#', (object, ...errors) => expect(admit(object).errors).toEqual(errors));
});

describe('warnings', () => {
  test.each<[object, ...string[]]>([
    [apps('Deployment', {}, 'a.b'), 'metadata.name: this is used in Pod names and hostnames'],
    [apps('StatefulSet', { revisionHistoryLimit: -1 }), 'spec.revisionHistoryLimit: a negative value retains all historical revisions'],
    [core('Node', { spec: { externalID: 'a' } }), 'spec.externalID: this field is deprecated, and is unused by Kubernetes'],
    [
      core('Service', { spec: { clusterIP: 'None', clusterIPs: ['None'], ports: [{ port: 1 }], sessionAffinity: 'ClientIP' } }),
      'spec.SessionAffinity is ignored for headless services',
    ],
    [
      core('Service', { spec: { type: 'ExternalName', externalName: 'a.example.com', externalIPs: ['2001:DB8::1'] } }),
      'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      'spec.externalIPs is ignored when spec.type is "ExternalName"',
    ],
  ])('%#', (object, ...warnings) => {
    const { errors, warnings: found } = admit(object);
    expect(errors).toEqual([]);
    expect(found).toEqual(warnings.map((warning) => expect.stringContaining(warning)));
  });

  test('of templates are told when these change', () => {
    const old = { ...template, spec: { ...template.spec, nodeSelector: { 'beta.kubernetes.io/os': 'linux' } } };
    const { object, warnings } = admit(apps('Deployment', { template: old }));
    expect(warnings).toHaveLength(1);
    expect(update(object, (each) => void (each.metadata.labels = { c: 'd' })).warnings).toEqual([]);
    expect(update(object, (each) => void (each.spec.replicas = 3)).warnings).toHaveLength(1);
  });
});

describe('events', () => {
  const regarding = { namespace: 'default', kind: 'Pod', name: 'p' };
  const eventTime = '2026-01-01T00:00:00.000000Z';
  const old = (body: object) => core('Event', { involvedObject: regarding, ...body });
  const event = (body: object): object => ({ ...core('Event', { regarding, type: 'Normal', ...body }), apiVersion: 'events.k8s.io/v1' });
  const said = { eventTime, reportingController: 'a', reportingInstance: 'b', action: 'c', reason: 'd' };
  test.each<[object, ...string[]]>([
    [old({ series: { count: 1 } })],
    [
      old({ eventTime }),
      'reportingComponent: Required value',
      expect.stringContaining('reportingComponent: Invalid value: ""'),
      expect.stringContaining('reportingComponent: Invalid value: "": name part must consist of'),
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
    ],
    [event(said)],
    [event({}), 'eventTime: Required value'],
    [
      event({ ...said, type: 'Odd', series: { count: 1, lastObservedTime: eventTime } }),
      'series.count: Invalid value: "": should be at least 2',
      'type: Invalid value: "": has invalid value: Odd',
    ],
    [
      event({ ...said, note: 'n'.repeat(1025), deprecatedCount: 1 }),
      'message: Invalid value: "": can have at most 1024 characters',
      'count: Invalid value: "": needs to be unset',
    ],
  ])('%#', (object, ...errors) => expect(admit(object).errors).toEqual(errors));
});
