import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { defaultPluginArgs } from '../plugins/plugin-args.js';
import { parseSchedulerConfig, type SchedulerConfigError } from './parse-config.js';

const read = (text: string) =>
  parseSchedulerConfig({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', ...(parse(text) as object) });
const problemsOf = (text: string): readonly string[] => {
  try {
    read(text);
  } catch (error) {
    return (error as SchedulerConfigError).problems;
  }
  return [];
};

describe('KubeSchedulerConfiguration', () => {
  it('an empty one is upstream’s defaults, with leader election', () => {
    const { config, clientConnection } = read('{}');
    expect(config.profiles).toMatchObject([{ schedulerName: 'default-scheduler', plugins: {}, args: defaultPluginArgs }]);
    expect(config.leaderElection).toMatchObject({ name: 'kube-scheduler', leaseDurationSeconds: 15 });
    expect(clientConnection).toEqual({});
  });

  it('reads profiles, plugins and their arguments', () => {
    const { config, clientConnection } = read(`
      clientConnection: { kubeconfig: /etc/kubernetes/scheduler.conf, qps: 50, burst: 100, contentType: application/vnd.kubernetes.protobuf }
      leaderElection: { leaderElect: false }
      parallelism: 16
      profiles:
        - schedulerName: packed
          percentageOfNodesToScore: 30
          plugins:
            multiPoint: { enabled: [{ name: ImageLocality, weight: 3 }], disabled: [{ name: PodTopologySpread }] }
            score: { disabled: [{ name: '*' }], enabled: [{ name: NodeResourcesFit, weight: 5 }] }
          pluginConfig:
            - name: NodeResourcesFit
              args:
                kind: NodeResourcesFitArgs
                ignoredResourceGroups: [example.com]
                scoringStrategy: { type: MostAllocated, resources: [{ name: cpu, weight: 2 }] }
            - { name: InterPodAffinity, args: { hardPodAffinityWeight: 7 } }
            - { name: VolumeBinding, args: { bindTimeoutSeconds: 30 } }
            - name: PodTopologySpread
              args: { defaultingType: List, defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule }] }
    `);
    expect(clientConnection).toEqual({ kubeconfig: '/etc/kubernetes/scheduler.conf', limit: { qps: 50, burst: 100 } });
    expect(config.leaderElection).toBeUndefined();
    expect(config.profiles).toEqual([
      {
        schedulerName: 'packed',
        percentageOfNodesToScore: 30,
        plugins: {
          multiPoint: { enabled: [{ name: 'ImageLocality', weight: 3 }], disabled: ['PodTopologySpread'] },
          score: { enabled: [{ name: 'NodeResourcesFit', weight: 5 }], disabled: ['*'] },
        },
        args: {
          ...defaultPluginArgs,
          NodeResourcesFit: {
            ignoredResources: [],
            ignoredResourceGroups: ['example.com'],
            scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 2 }] },
          },
          InterPodAffinity: { hardPodAffinityWeight: 7, ignorePreferredTermsOfExistingPods: false },
          VolumeBinding: { bindTimeoutSeconds: 30 },
          PodTopologySpread: { defaultingType: 'List', defaultConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
        },
      },
    ]);
  });

  it.each([
    ['nope: 1', 'nope: unknown or not supported'],
    ['kind: Other', 'it is a "Other" of "kubescheduler.config.k8s.io/v1", not a KubeSchedulerConfiguration'],
    ['extenders: [{ urlPrefix: "http://x" }]', 'extenders: are not supported: write a scheduler plugin'],
    ['percentageOfNodesToScore: 101', 'percentageOfNodesToScore: must be an integer from 0 to 100, got 101'],
    ['{ podInitialBackoffSeconds: 5, podMaxBackoffSeconds: 4 }', 'podMaxBackoffSeconds: must be greater than or equal to podInitialBackoffSeconds'],
    ['leaderElection: { resourceLock: endpoints }', 'leaderElection.resourceLock: leaders are elected by leases (takes "leases")'],
    ['leaderElection: { leaseDuration: 10s }', 'leaderElection.leaseDuration: must be greater than RenewDeadline'],
    ['profiles: [{}, {}]', 'profiles: schedulerName default-scheduler is there twice'],
    ['profiles: [{ plugins: { scores: {} } }]', 'profiles[0].plugins.scores: unknown or not supported'],
    ['profiles: [{ plugins: { score: { enabled: [{ name: A }, { name: A }] } } }]', 'profiles[0].plugins.score.enabled[1].name: plugin "A" already registered'],
    ['profiles: [{ pluginConfig: [{ name: NodeName, args: {} }] }]', 'profiles[0].pluginConfig[0].name: "NodeName" takes no arguments'],
    [
      'profiles: [{ pluginConfig: [{ name: InterPodAffinity, args: { hardPodAffinityWeight: 101 } }] }]',
      'args.hardPodAffinityWeight: must be an integer from 0 to 100',
    ],
    ['profiles: [{ pluginConfig: [{ name: VolumeBinding, args: { shape: [] } }] }]', 'profiles[0].pluginConfig[0].args.shape: unknown or not supported'],
    [
      'profiles: [{ pluginConfig: [{ name: NodeResourcesFit, args: { scoringStrategy: { type: RequestedToCapacityRatio } } }] }]',
      'args.scoringStrategy.requestedToCapacityRatio.shape: at least one point must be specified',
    ],
    [
      'profiles: [{ pluginConfig: [{ name: PodTopologySpread, args: { defaultConstraints: [{ maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway }] } }] }]',
      'args.defaultConstraints: must be empty when .defaultingType is System',
    ],
  ])('%s is refused', (text, problem) => expect(problemsOf(text).join('\n')).toContain(problem));
});
