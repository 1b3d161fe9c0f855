import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../definition.js';
import { admit, update, updateStatus } from '../testing/admit.js';

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } };
const job = (spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', ...metadata },
  spec: { template, ...spec },
});
const cronJob = (spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'c', ...metadata },
  spec: { schedule: '* * * * *', jobTemplate: { spec: { template } }, ...spec },
});
const indexed = (more: object) => job({ completionMode: 'Indexed', completions: 3, ...more });

describe('a new job', () => {
  const path = 'spec.template.metadata.labels';
  test.each<[object, ...string[]]>([
    [job({ template: { ...template, metadata: { labels: { 'job-name': 'other' } } } }), `${path}[job-name]: Invalid value: `],
    [job({ manualSelector: true, selector: {} })],
    [job({ manualSelector: true }), 'spec.selector: Required value'],
    [job({ selector: { matchLabels: { a: 'b' } } }), `${path}: Invalid value: `, 'spec.selector: Invalid value: '],
    [
      job({ template: { spec: { ...template.spec, restartPolicy: 'Always' } } }),
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [job({ completionMode: 'Some' }), 'spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"'],
    [
      job({ backoffLimitPerIndex: 1, maxFailedIndexes: 1 }),
      'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed',
      'spec.maxFailedIndexes: Invalid value: 1: requires indexed',
    ],
    [indexed({ completions: 100_001, backoffLimitPerIndex: 1 }), 'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000'],
    [
      indexed({ completions: 100_001, parallelism: 10_001, backoffLimitPerIndex: 1, maxFailedIndexes: 10_001 }),
      'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000',
      'spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000',
    ],
    [indexed({ completions: 0 })],
    [
      job({ completionMode: 'Indexed', completions: 1 }, { name: 'a.b' }),
      'metadata.name: Invalid value: "a.b": will not able to create pod with invalid DNS label: a.b-0',
    ],
    [
      job({ podFailurePolicy: { rules: [{ action: '', onPodConditions: [] }] } }),
      'spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
      'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
    ],
    [
      indexed({ successPolicy: { rules: [{ succeededIndexes: '0-1-2' }] } }),
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-1-2": error parsing succeededIndexes: the fragment "0-1-2" violates',
    ],
  ])('%#', (object, ...errors) => {
    const found = admit(object).errors;
    expect(found).toEqual(errors.map((error) => expect.stringContaining(error)));
  });

  test('keeps its own labels beside those it is found by', () => {
    const { object } = admit(job({ template: { ...template, metadata: { labels: { a: 'b' } } }, selector: { matchLabels: { a: 'b' } } }));
    expect(object.spec.selector.matchLabels).toEqual({ a: 'b', 'batch.kubernetes.io/controller-uid': 'u-1' });
    expect(object.spec.template.metadata.labels).toEqual({
      a: 'b',
      'controller-uid': 'u-1',
      'job-name': 'j',
      'batch.kubernetes.io/controller-uid': 'u-1',
      'batch.kubernetes.io/job-name': 'j',
    });
  });

  test('is warned of its name and its size', () => {
    expect(admit(job({}, { name: 'a.b' })).warnings).toEqual([expect.stringContaining('metadata.name: this is used in Pod names and hostnames')]);
    const many = admit(indexed({ completions: 100_001, parallelism: 10_001 }));
    expect(many.warnings).toEqual([expect.stringContaining('spec: In Indexed Jobs with a number of completions higher than 10^5')]);
    expect(update(many.object, (each) => void (each.metadata.labels = { a: 'b' })).warnings).toEqual([]);
  });
});

describe('an indexed job', () => {
  const { object } = admit(indexed({ parallelism: 3 }));
  test('grows with its parallelism only', () => {
    expect(update(object, (each) => void Object.assign(each.spec, { completions: 5, parallelism: 5 })).errors).toEqual([]);
    expect(update(object, (each) => void Object.assign(each.spec, { completions: 5 })).errors).toEqual([
      'spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism',
    ]);
    expect(update(object, (each) => void Object.assign(each.spec, { parallelism: 1 })).errors).toEqual([]);
  });
});

test('of the affinity of a halted job only that to nodes may change', () => {
  const { object } = admit(job({ suspend: true }));
  const affinity = (value: object) => update(object, (each) => void (each.spec.template.spec.affinity = value)).errors.length;
  const nodes = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] } };
  expect(affinity({ nodeAffinity: nodes })).toBe(0);
  expect(affinity({ podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a', labelSelector: {} }] } })).toBe(1);
});

describe("a job's status", () => {
  const T = '2026-01-01T00:00:00Z';
  const LATER = '2026-01-01T00:01:00Z';
  const yes = (...types: string[]) => types.map((type) => ({ type, status: 'True' }));
  const done = { startTime: T, completionTime: LATER, succeeded: 1, conditions: yes('SuccessCriteriaMet', 'Complete') };
  const failed = { startTime: T, failed: 1, conditions: yes('FailureTarget', 'Failed') };
  const plain = admit(job()).object;
  const list = admit(indexed({ parallelism: 1, backoffLimitPerIndex: 1 })).object;
  const with_ = (object: KubeObject, status: object): KubeObject => ({ ...object, status });

  test.each<[KubeObject, object, object, ...string[]]>([
    [plain, {}, done],
    [plain, {}, failed],
    [
      plain,
      {},
      { active: -1, ready: 1 },
      'status.active: Invalid value: -1: must be greater than or equal to 0',
      'status.ready: Invalid value: 1: cannot set more ready pods than active',
    ],
    [
      plain,
      {},
      { uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a'] } },
      'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
      'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
    ],
    [plain, {}, { ...done, completionTime: undefined }, 'status.completionTime: Required value: completionTime is required for Complete jobs'],
    [plain, {}, { ...done, startTime: undefined }, 'status.startTime: Required value: startTime is required for finished job'],
    [
      plain,
      {},
      { ...done, startTime: LATER, completionTime: T },
      `status.completionTime: Invalid value: "${T}": completionTime cannot be set before startTime`,
    ],
    [
      plain,
      {},
      { ...done, conditions: yes('Complete') },
      'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
    ],
    [
      plain,
      {},
      { ...failed, conditions: yes('Failed') },
      'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
    ],
    [
      plain,
      {},
      { startTime: T, completionTime: T },
      `status.completionTime: Invalid value: "${T}": cannot set completionTime when there is no Complete=True condition`,
    ],
    [
      plain,
      {},
      { ...done, active: 1, terminating: 2 },
      'status.active: Invalid value: 1: active>0 is invalid for finished job',
      'status.terminating: Invalid value: 2: terminating>0 is invalid for finished job',
    ],
    [
      plain,
      {},
      { ...failed, uncountedTerminatedPods: { failed: ['a'] } },
      'status.uncountedTerminatedPods: Invalid value: {"failed":["a"]}: uncountedTerminatedPods needs to be empty for finished job',
    ],
    [
      plain,
      {},
      { startTime: T, conditions: yes('SuccessCriteriaMet', 'FailureTarget') },
      'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
    ],
    [plain, failed, { ...failed, conditions: yes('FailureTarget') }, 'status.conditions: Invalid value: cannot disable the terminal Failed=True condition'],
    [plain, failed, { ...failed, failed: 0 }, 'status.failed: Invalid value: 0: cannot decrease the failed counter'],
    [
      plain,
      done,
      { ...done, succeeded: 0, completionTime: T },
      'status.succeeded: Invalid value: 0: cannot decrease the succeeded counter',
      `status.completionTime: Invalid value: "${T}": completionTime cannot be mutated`,
    ],
    [plain, { startTime: T }, {}, 'status.startTime: Required value: startTime cannot be removed for unsuspended job'],
    [plain, { ready: 2, conditions: yes('Failed') }, { ready: 2, conditions: yes('Failed', 'Other') }],
    [
      plain,
      {},
      { completedIndexes: '0' },
      'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
    ],
    [plain, {}, { failedIndexes: '' }, 'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null'],
    [
      list,
      {},
      { completedIndexes: '0-1', failedIndexes: '1-2' },
      'status.failedIndexes: Invalid value: "1-2": failedIndexes and completedIndexes overlap at index: 1',
    ],
    [list, {}, { completedIndexes: '3' }, 'status.completedIndexes: Invalid value: "3": error parsing completedIndexes: too large index: "3"'],
    [list, {}, { completedIndexes: '0,2', failedIndexes: '1' }],
  ])('%#', (object, before, after, ...errors) => {
    expect(updateStatus(with_(object, before), (each) => void (each.status = after)).errors).toEqual(errors);
  });
});

describe('cron jobs', () => {
  test.each<[object, ...string[]]>([
    [cronJob({}, { name: 'c'.repeat(53) }), 'metadata.name: Invalid value'],
    [
      cronJob({ schedule: 'TZ=UTC * * * * *' }),
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
    [cronJob({ timeZone: 'local' }), 'spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as defined in'],
    [cronJob({ timeZone: 'Europe/../Berlin' }), 'spec.timeZone: Invalid value: "Europe/../Berlin": unknown time zone'],
    [cronJob({ timeZone: '+01:00' }), 'spec.timeZone: Invalid value: "+01:00": unknown time zone'],
    [
      cronJob({ jobTemplate: { spec: { template, manualSelector: true, selector: { matchLabels: { a: 'b' } } } } }),
      'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
    ],
  ])('%#', (object, ...errors) => expect(admit(object).errors).toEqual(errors.map((error) => expect.stringContaining(error))));

  test('what was written before a rule was made may stay', () => {
    const { object } = admit(cronJob());
    const old = {
      ...object,
      metadata: { ...object.metadata, name: 'c'.repeat(60) },
      spec: { ...object.spec, schedule: 'TZ=UTC * * * * *', timeZone: undefined },
    };
    const { errors, warnings } = update(old, (each) => void (each.spec.schedule = 'TZ=UTC 1 * * * *'));
    expect(errors).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('spec.schedule: CRON_TZ or TZ used in schedule is not officially supported')]);
    expect(update(old, (each) => void (each.spec.timeZone = 'UTC')).errors).toEqual([
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
    ]);
  });
});
