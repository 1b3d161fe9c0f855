import { randomUUID } from 'node:crypto';
import { ApiServer, type ApiServerOptions } from '@coxswain/apiserver';
import { KubeClient, RestMetrics } from '@coxswain/client';
import { CloudControllerManager, CsiController } from '@coxswain/cloud-controller-manager';
import { ControllerManager } from '@coxswain/controller-manager';
import { serveEtcdOnDemand } from '@coxswain/etcd-api/on-demand';
import { all, component, type ComponentRecipe } from '@coxswain/host';
import type { ClusterPki } from '@coxswain/pki';
import { Scheduler } from '@coxswain/scheduler';
import {
  AdmissionPlugin,
  ApiRouter,
  Authenticator,
  Authorizer,
  Clock,
  CloudProvider,
  type Component,
  ComponentStateCell,
  CustomApiServer,
  Logger,
  Random,
  SchedulerPlugin,
  StateStore,
  KUBERNETES_VERSION,
} from '@coxswain/sdk';
import { applyAddonPolicy, applyPodNetworkPolicy } from './addon-policy.js';
import { applyCloudPolicy, CLOUD_CONTROLLER_MANAGER, CSI_CONTROLLER } from './cloud-policy.js';
import type { ClusterConfig, ReplaceableComponent } from './cluster-spec.js';
import { group } from './group.js';
import { applyJoinPolicy } from './join-policy.js';
import { removeMetricsApi } from './metrics-server-policy.js';

/** The component of a control plane with a cloud that serves the disks' CSI controller service. */
export const CSI_DRIVER = 'csi-driver';

const AUTHENTICATED = 'system:authenticated';
const KUBE_SYSTEM_ACCOUNTS = ['system:serviceaccounts', 'system:serviceaccounts:kube-system'];

/** Options of the cluster's API server, apart from what is injected. */
export function apiServerConfig(
  config: ClusterConfig,
  pki: ClusterPki,
): Omit<ApiServerOptions, 'store' | 'clock' | 'random' | 'logger' | 'authenticators' | 'authorizers' | 'admission'> {
  return {
    host: '0.0.0.0',
    port: config.ports.apiServer,
    advertiseAddress: config.nodeIP,
    // Hosts of one machine share its name.
    hostname: config.nodeName,
    tls: { ...pki.leaf.apiserver, clientCA: pki.ca.cert },
    frontProxy: {
      ca: pki.frontProxyCa.cert,
      allowedNames: ['front-proxy-client'],
      userHeaders: ['X-Remote-User'],
      groupHeaders: ['X-Remote-Group'],
      uidHeaders: ['X-Remote-Uid'],
      extraPrefixes: ['X-Remote-Extra-'],
    },
    proxyClient: pki.leaf['front-proxy-client'],
    tokens: new Map(),
    anonymous: true,
    bootstrapTokens: true,
    serviceAccounts: {
      issuers: [serviceAccountIssuer(config)],
      signingKey: pki.serviceAccount.privateKey,
      verifyingKeys: [pki.serviceAccount.publicKey],
    },
    authorizationModes: ['Node', 'RBAC'],
    kubelet: { ca: pki.ca.cert, ...pki.leaf['apiserver-kubelet-client'], addressTypes: ['InternalIP', 'Hostname'] },
    serviceRanges: [config.serviceCIDR],
    nodePorts: config.nodePortRange,
    disabledAdmission: [],
    maxRequestsInFlight: 400,
    maxMutatingRequestsInFlight: 200,
    eventTtlSeconds: 3600,
    compactionIntervalMs: 5 * 60_000,
  };
}

/** Of several control planes one acts at a time. Upstream's lease and times. */
function election({ hosts, nodeName }: ClusterConfig, name: string) {
  if (hosts.filter(({ controlPlane }) => controlPlane).length < 2) return undefined;
  return { namespace: 'kube-system', name, identity: `${nodeName}_${randomUUID()}`, leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 };
}

function serviceAccountIssuer(config: ClusterConfig): string {
  return `https://kubernetes.default.svc.${config.clusterDomain}`;
}

/**
 * The components of a control plane on one machine: API server, scheduler, controller manager. The latter two reach the former in
 * process, as the users their certificates would make them. Plugins bind `StateStore`, `CloudProvider` when the cluster has a cloud,
 * and any number of `AdmissionPlugin`s, `Authenticator`s, `Authorizer`s, `SchedulerPlugin`s, `ApiRouter`s and `CustomApiServer`s.
 */
export function controlPlaneComponents(config: ClusterConfig, pki: ClusterPki): ComponentRecipe[] {
  let server: ApiServer | undefined;
  // A program that acts as several accounts counts its requests together.
  const metrics = new Map<string, RestMetrics>();
  const clientAs = (name: string, userAgent: string, clock: Clock, ...groups: string[]): KubeClient => {
    if (!server) throw new Error('the API server is made first');
    const transport = server.transport({ name, groups: [AUTHENTICATED, ...groups] });
    const program = userAgent.split('/', 1)[0] as string;
    const counted = metrics.get(program) ?? new RestMetrics();
    metrics.set(program, counted);
    return new KubeClient({ transport, userAgent: `${userAgent}/${KUBERNETES_VERSION}`, clock, metrics: counted });
  };
  const recipes = [
    component(
      'apiserver',
      [StateStore, Clock, Random, Logger, all(Authenticator), all(Authorizer), all(AdmissionPlugin), all(ApiRouter)],
      (store, clock, random, logger, authenticators, authorizers, admission, routers) => {
        server = new ApiServer({
          ...apiServerConfig(config, pki),
          store,
          clock,
          random,
          logger: logger.child({ component: 'apiserver' }),
          // Before anybody is told that the server is ready: an add-on that comes too early is refused, and backs off.
          async seed(transport, signal) {
            const admin = new KubeClient({ transport, userAgent: `coxswain/${KUBERNETES_VERSION}`, clock });
            const join = { server: `https://${config.nodeIP}:${config.ports.apiServer}`, certificateAuthority: pki.ca.cert };
            await Promise.all([
              applyAddonPolicy(admin, signal),
              applyJoinPolicy(admin, join, signal),
              config.cloud && applyCloudPolicy(admin, config.cloud, signal),
              config.hosts.length > 0 && applyPodNetworkPolicy(admin, signal),
            ]);
            if (!config.metricsServer) await removeMetricsApi(admin, signal);
          },
          authenticators,
          authorizers,
          admission,
          routers,
        });
        return server;
      },
    ),
    ...(config.etcd ? [] : [component('etcd-api', [StateStore], (store) => etcdApi(store, config.paths.etcdSocket))]),
    component('api-servers', [all(CustomApiServer)], (servers) => group('api-servers', servers), { after: ['apiserver'] }),
    component(
      'scheduler',
      [Clock, Random, Logger, all(SchedulerPlugin)],
      (clock, random, logger, plugins) =>
        new Scheduler({
          client: clientAs('system:kube-scheduler', 'kube-scheduler', clock),
          clock,
          random,
          logger,
          plugins,
          config: { leaderElection: election(config, 'kube-scheduler'), serving: { bindAddress: '127.0.0.1', securePort: config.ports.scheduler } },
        }),
      { after: ['apiserver'] },
    ),
    component(
      'controller-manager',
      [Clock, Random, Logger],
      (clock, random, logger) =>
        new ControllerManager({
          client: clientAs('system:kube-controller-manager', 'kube-controller-manager', clock),
          clientFor: (account) =>
            clientAs(`system:serviceaccount:kube-system:${account}`, `kube-controller-manager/${account}`, clock, ...KUBE_SYSTEM_ACCOUNTS),
          clock,
          random,
          logger,
          config: {
            // The last two are off unless asked for: they are what bootstrap tokens need.
            controllers: ['*', 'bootstrap-signer-controller', 'token-cleaner-controller'],
            leaderElection: election(config, 'kube-controller-manager'),
            clusterName: config.name,
            allocateNodeCidrs: true,
            clusterCidrs: [config.podCIDR],
            nodeMonitorGracePeriod: config.nodeMonitorGracePeriodSeconds,
            rootCa: pki.ca.cert,
            serviceAccountPrivateKey: pki.serviceAccount.privateKey,
            serviceAccountIssuer: serviceAccountIssuer(config),
            clusterSigning: pki.ca,
            serving: { bindAddress: '127.0.0.1', securePort: config.ports.controllerManager },
          },
        }),
      { after: ['apiserver'] },
    ),
    ...(config.cloud ? [cloudControllerManager(config, clientAs), csiController(config, clientAs)] : []),
  ];
  return recipes.filter(({ name }) => !config.without.includes(name as ReplaceableComponent));
}

/** What etcdctl looks into the embedded store by; it costs nothing before somebody comes. */
function etcdApi(store: StateStore, socket: string): Component {
  const cell = new ComponentStateCell();
  let server: Awaited<ReturnType<typeof serveEtcdOnDemand>> | undefined;
  return {
    name: 'etcd-api',
    state$: cell.state$,
    async start() {
      server = await serveEtcdOnDemand({ store, socket });
      cell.set('ready');
    },
    async stop() {
      await server?.close();
      cell.set('stopped');
    },
  };
}

type ClientAs = (name: string, userAgent: string, clock: Clock, ...groups: string[]) => KubeClient;

function cloudControllerManager(config: ClusterConfig, clientAs: ClientAs): ComponentRecipe {
  return component(
    'cloud-controller-manager',
    [CloudProvider, Clock, Random, Logger],
    (cloud, clock, random, logger) =>
      new CloudControllerManager({
        cloud,
        client: clientAs(CLOUD_CONTROLLER_MANAGER, 'cloud-controller-manager', clock),
        clock,
        random,
        logger,
        config: {
          leaderElection: election(config, 'cloud-controller-manager'),
          clusterName: config.name,
          allocateNodeCidrs: true,
          clusterCidrs: [config.podCIDR],
          // The pod network of several hosts makes its own ways.
          configureCloudRoutes: config.hosts.length === 0,
          concurrentServiceSyncs: 4,
          serving: { bindAddress: '127.0.0.1', securePort: config.ports.cloudControllerManager },
        },
      }),
    { after: ['apiserver'] },
  );
}

/** Binds the cloud's disks, which a CSI driver serves on the cluster's socket: whoever composes the cluster starts it as the component `CSI_DRIVER`. */
function csiController(config: ClusterConfig, clientAs: ClientAs): ComponentRecipe {
  return component(
    'csi-controller',
    [Clock, Random, Logger],
    (clock, random, logger) =>
      new CsiController({
        endpoint: `unix://${config.paths.csiControllerSocket}`,
        client: clientAs(CSI_CONTROLLER, 'csi-controller', clock),
        clock,
        random,
        logger,
        config: { leaderElection: election(config, 'csi-controller') },
      }),
    { after: ['apiserver', CSI_DRIVER] },
  );
}
