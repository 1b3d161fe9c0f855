import { ApiServer, parseTokenFile } from '@coxswain/apiserver';
import { KubeClient } from '@coxswain/client';
import { ControllerManager } from '@coxswain/controller-manager';
import { all, component, type ComponentRecipe } from '@coxswain/host';
import { Scheduler } from '@coxswain/scheduler';
import { AdmissionPlugin, Authenticator, Authorizer, type Clock, Logger, Random, SchedulerPlugin, StateStore } from '@coxswain/sdk';
import type { Activity } from '../clock/activity.js';
import { HollowTestNodes } from '../nodes/hollow-test-nodes.js';
import { KubeletTestNodes } from '../nodes/kubelet-test-nodes.js';
import type { TestNodes } from '../nodes/test-nodes.js';
import type { TestCertificates } from './certificates.js';
import { kubeletsOf, type NodePlan, type TestClusterOptions } from './options.js';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const ACCOUNT_GROUPS = ['system:serviceaccounts', 'system:serviceaccounts:kube-system'];
/** A /24 each for more nodes than a test has. */
const POD_NETWORK = '10.128.0.0/9';

export interface ComponentsInput {
  readonly options: TestClusterOptions;
  readonly nodes: readonly NodePlan[];
  readonly certificates: TestCertificates;
  readonly adminToken: string;
  readonly clock: Clock;
  readonly activity: Activity;
  readonly dir: string;
}

/** What the recipes made, for the cluster's own use; complete once the host is resolved. */
export interface Made {
  server?: ApiServer;
  nodes?: TestNodes;
  readonly clientAs: (name: string, ...groups: string[]) => KubeClient;
}

/** The components as `cox up` has them, but in this process without a listening port besides the API server's and the kubelets'. */
export function testComponents(input: ComponentsInput): { readonly recipes: readonly ComponentRecipe[]; readonly made: Made } {
  const { options, certificates, clock, activity } = input;
  const made: Made = {
    clientAs(name, ...groups) {
      if (!made.server) throw new Error('the API server is made first');
      const transport = made.server.transport({ name, groups: ['system:authenticated', ...groups] });
      return new KubeClient({ transport: activity.watched(transport), userAgent: `${name}/v1.36.0`, clock });
    },
  };
  const recipes = [
    component(
      'apiserver',
      [StateStore, Random, Logger, all(Authenticator), all(Authorizer), all(AdmissionPlugin)],
      (store, random, logger, authenticators, authorizers, admission) => {
        made.server = new ApiServer({
          store,
          clock,
          random,
          logger,
          host: '127.0.0.1',
          port: 0,
          // An address of documentation's: pods that could use it do not exist.
          advertiseAddress: '192.0.2.1',
          tls: { ...certificates.serving, clientCA: certificates.ca.cert },
          tokens: parseTokenFile(`${input.adminToken},kubernetes-admin,,system:masters`),
          anonymous: true,
          serviceAccounts: { issuers: [ISSUER], signingKey: certificates.serviceAccountKey, verifyingKeys: [] },
          authorizationModes: ['Node', 'RBAC'],
          kubelet: { ca: certificates.ca.cert, addressTypes: ['InternalIP'] },
          serviceRanges: ['10.96.0.0/16'],
          nodePorts: { from: 30000, to: 32767 },
          disabledAdmission: [],
          maxRequestsInFlight: 4000,
          maxMutatingRequestsInFlight: 2000,
          eventTtlSeconds: 3600,
          compactionIntervalMs: 5 * 60_000,
          authenticators,
          authorizers,
          admission,
        });
        return made.server;
      },
    ),
    component(
      'scheduler',
      [Random, Logger, all(SchedulerPlugin)],
      (random, logger, plugins) => new Scheduler({ client: made.clientAs('system:kube-scheduler'), clock, random, logger, plugins }),
      { after: ['apiserver'] },
    ),
    component(
      'controller-manager',
      [Random, Logger],
      (random, logger) =>
        new ControllerManager({
          client: made.clientAs('system:kube-controller-manager'),
          clientFor: (account) => made.clientAs(`system:serviceaccount:kube-system:${account}`, ...ACCOUNT_GROUPS),
          clock,
          random,
          logger,
          config: {
            controllers: [...(options.controllers ?? ['*'])],
            allocateNodeCidrs: true,
            clusterCidrs: [POD_NETWORK],
            rootCa: certificates.ca.cert,
            serviceAccountPrivateKey: certificates.serviceAccountKey,
            serviceAccountIssuer: ISSUER,
            clusterSigning: certificates.ca,
          },
        }),
      { after: ['apiserver'] },
    ),
    component(
      'nodes',
      [Random, Logger],
      (random, logger) => {
        const { containers = [], images = [] } = options;
        const deps = { nodes: input.nodes, clock, random, logger, dir: input.dir, clientAs: made.clientAs, serving: certificates.serving, containers, images };
        made.nodes = kubeletsOf(options, input.nodes) === 'real' ? new KubeletTestNodes(deps) : new HollowTestNodes(deps);
        return made.nodes;
      },
      { after: ['apiserver'] },
    ),
  ];
  return { recipes, made };
}
