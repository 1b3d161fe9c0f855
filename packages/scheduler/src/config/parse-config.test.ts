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

  it('reads extenders: those that may be ignored last, and what they manage is not the scheduler’s to count', () => {
    const { config } = read(`
      extenders:
        - { urlPrefix: "http://x", filterVerb: filter, ignorable: true, managedResources: [{ name: example.com/foo, ignoredByScheduler: true }] }
        - { urlPrefix: "https://y", prioritizeVerb: prioritize, weight: 3, httpTimeout: 1m, enableHTTPS: true, nodeCacheCapable: true }
    `);
    expect(config.extenders).toMatchObject([
      { urlPrefix: 'https://y', prioritizeVerb: 'prioritize', weight: 3, timeoutMs: 60_000, enableHTTPS: true, nodeCacheCapable: true, ignorable: false },
      { urlPrefix: 'http://x', filterVerb: 'filter', timeoutMs: 5000, ignorable: true },
    ]);
    expect(config.profiles[0]?.args.NodeResourcesFit.ignoredResources).toEqual(['example.com/foo']);
  });

  it.each([
    ['nope: 1', 'nope: unknown or not supported'],
    ['kind: Other', 'it is a "Other" of "kubescheduler.config.k8s.io/v1", not a KubeSchedulerConfiguration'],
    ['extenders: [{}]', 'extenders[0].urlPrefix: must be a URL of http or https, got undefined'],
    ['extenders: [{ urlPrefix: "http://x", filter: f }]', 'extenders[0].filter: unknown or not supported'],
    ['extenders: [{ urlPrefix: "http://x", prioritizeVerb: p }]', 'extenders[0].weight: must have a positive weight applied to it'],
    [
      'extenders: [{ urlPrefix: "http://x", bindVerb: b }, { urlPrefix: "http://y", bindVerb: b }]',
      'extenders: found 2 extenders implementing bind: only one extender can implement bind',
    ],
    ['extenders: [{ urlPrefix: "http://x", managedResources: [{ name: cpu }] }]', '"cpu" is an invalid extended resource name'],
    ['extenders: [{ urlPrefix: "http://x", managedResources: [{ name: a.kubernetes.io/b }] }]', '"a.kubernetes.io/b" is an invalid extended resource name'],
    [
      'extenders: [{ urlPrefix: "http://x", managedResources: [{ name: a.b/c }, { name: a.b/c }] }]',
      'extenders[0].managedResources[1].name: duplicate extender managed resource name "a.b/c"',
    ],
    ['extenders: [{ urlPrefix: "http://x", httpTimeout: soon }]', 'extenders[0].httpTimeout: must be a duration'],
    ['extenders: [{ urlPrefix: "https://x", tlsConfig: { insecure: true, caFile: f } }]', 'specifying a root certificates file with the insecure flag'],
    ['extenders: [{ urlPrefix: "https://x", tlsConfig: { certFile: f } }]', 'extenders[0].tlsConfig: a certificate and its key are needed, or neither'],
    ['extenders: [{ urlPrefix: "https://x", tlsConfig: { caData: aGk= } }]', 'extenders[0].tlsConfig.caData: is not PEM in base64'],
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
