import type { SettledFlag } from '@coxswain/command';

const DURATION = /^(0|(\d+(\.\d+)?(ms|s|m|h))+)$/;
const none = (because: string): SettledFlag => ({ takes: [''], because });
const oneAnswer = (value: string, because: string): SettledFlag => ({ takes: [value], because });

/** Flags of upstream's kube-apiserver with one answer here, besides those every component has. */
export const settledFlags: Readonly<Record<string, SettledFlag>> = {
  // Storage.
  'default-watch-cache-size': { takes: /^[1-9]\d*$/, because: 'caches are as large as what they hold, and cannot be turned off' },
  'delete-collection-workers': { takes: /^[1-9]\d*$/, because: 'a collection is deleted as fast as the store writes: give a number from 1' },
  'enable-garbage-collector': oneAnswer('true', 'deletion follows owner references'),
  'encryption-provider-config-automatic-reload': oneAnswer('false', 'encryption is configured at start'),
  'etcd-count-metric-poll-period': { takes: DURATION, because: 'objects are counted as they come and go: give a duration' },
  'etcd-db-metric-poll-interval': { takes: DURATION, because: 'the size of the store is looked up when metrics are asked for: give a duration' },
  'etcd-healthcheck-timeout': { takes: DURATION, because: '/healthz answers from what the watch on the store knows, at once: give a duration' },
  'etcd-servers-overrides': none('all resources are in one store'),
  'lease-reuse-duration-seconds': oneAnswer('60', 'events of a minute share a lease'),
  'storage-backend': { takes: ['', 'etcd3'], because: "etcd's interface, version 3" },
  'storage-initialization-timeout': { takes: DURATION, because: 'the program ends when its store cannot be read: give a duration' },
  // Upstream's own words: some backends support one type only, and ignore the setting. Every Kubernetes API server reads JSON.
  'storage-media-type': {
    takes: ['', 'application/json', 'application/vnd.kubernetes.protobuf'],
    because: 'objects are stored as JSON, which upstream reads too',
  },
  'watch-cache': oneAnswer('true', 'reads come from the cache'),
  'watch-cache-sizes': { takes: /^([a-z0-9.-]+#[1-9]\d*(,|$))*$/, because: 'caches are as large as what they hold, and cannot be turned off' },

  // Serving.
  'aggregator-reject-forwarding-redirect': oneAnswer('true', 'servers of aggregated groups may not redirect'),
  'apiserver-count': { takes: 'any', because: 'has an effect with --endpoint-reconciler-type=master-count only' },
  'disable-http2-serving': oneAnswer('false', 'HTTP/2 is served'),
  'kubelet-timeout': { takes: 'any', because: 'has no effect' },
  'kubernetes-service-node-port': oneAnswer('0', 'the kubernetes Service is of type ClusterIP'),
  'livez-grace-period': { takes: DURATION, because: '/livez does not wait for the start to end: give a duration' },
  'max-connection-bytes-per-sec': oneAnswer('0', 'connections are not throttled'),
  'permit-address-sharing': oneAnswer('true', 'SO_REUSEADDR is always set'),
  'permit-port-sharing': oneAnswer('false', 'the port is of one server'),
  'shutdown-send-retry-after': oneAnswer('false', 'a stopping server closes its port'),
  'shutdown-watch-termination-grace-period': { takes: ['0', '0s'], because: 'watches are ended when the server stops' },

  // Several API servers, other servers.
  'debug-socket-path': none('profiles are served at /debug/pprof/ of the secure port'),
  'enable-aggregator-routing': oneAnswer('true', "requests for aggregated groups go to a Service's endpoints"),
  'peer-advertise-ip': none('requests are not passed to API servers of other versions'),
  'peer-advertise-port': none('requests are not passed to API servers of other versions'),
  'peer-ca-file': none('requests are not passed to API servers of other versions'),
  'coordinated-leadership-lease-duration': { takes: 'any', because: 'has an effect with the feature gate CoordinatedLeaderElection only' },
  'coordinated-leadership-renew-deadline': { takes: 'any', because: 'has an effect with the feature gate CoordinatedLeaderElection only' },
  'coordinated-leadership-retry-period': { takes: 'any', because: 'has an effect with the feature gate CoordinatedLeaderElection only' },

  // Who may what.
  'authorization-policy-file': none('ABAC is not here'),
  'cloud-config': none('clouds have a controller manager of their own'),
  'cloud-provider': { takes: ['', 'external'], because: 'clouds have a controller manager of their own' },
  'service-account-lookup': oneAnswer('true', 'a token is good for as long as what it is bound to is there'),
  'service-account-signing-endpoint': none('tokens are signed with --service-account-signing-key-file'),

  // Audit.
  'audit-log-format': oneAnswer('json', 'events are logged as JSON'),
  'audit-log-truncate-enabled': oneAnswer('false', 'events are logged whole'),
  'audit-log-truncate-max-batch-size': { takes: 'any', because: 'has an effect with --audit-log-truncate-enabled only' },
  'audit-log-truncate-max-event-size': { takes: 'any', because: 'has an effect with --audit-log-truncate-enabled only' },
  'audit-log-version': oneAnswer('audit.k8s.io/v1', 'the version events are logged in'),
  'audit-webhook-mode': oneAnswer('batch', 'no request waits for the webhook'),
  'audit-webhook-truncate-enabled': oneAnswer('false', 'events are sent whole'),
  'audit-webhook-truncate-max-batch-size': { takes: 'any', because: 'has an effect with --audit-webhook-truncate-enabled only' },
  'audit-webhook-truncate-max-event-size': { takes: 'any', because: 'has an effect with --audit-webhook-truncate-enabled only' },
  'audit-webhook-version': oneAnswer('audit.k8s.io/v1', 'the version events are sent in'),

  // What is told about the server itself.
  'enable-logs-handler': oneAnswer('false', 'no log files are served'),
  'runtime-config-emulation-forward-compatible': oneAnswer('false', 'no other version is emulated'),
};
