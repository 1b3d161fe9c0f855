import type { Command } from 'commander';
import { Option } from 'commander';
import { kubernetesFeatureGates } from './feature-gates-1.36.js';
import { type LogFormat, logFormats, setLogFormat } from './log-format.js';
import { addSettledFlags, featureGates } from './settled-flags.js';
import { list, onOff, portNumber, seconds, wholeNumber } from './option-values.js';

/** How a component reaches the API server. */
export interface ClientFlags {
  /** Absent: as a pod does, by its service account. */
  readonly kubeconfig?: string;
  /** Wins over the kubeconfig's server. */
  readonly master?: string;
  /** 0: no limit. */
  readonly kubeApiQps: number;
  readonly kubeApiBurst: number;
}

export function addClientFlags(command: Command): Command {
  command
    .option('--kubeconfig <file>', 'how to reach the API server; absent: as a pod does')
    .option('--master <url>', "the API server, instead of the kubeconfig's")
    .option('--kube-api-qps <number>', 'so many requests a second at most, after a burst; 0: no limit', Number, 0)
    .option('--kube-api-burst <count>', 'requests that may come at once under --kube-api-qps', wholeNumber, 30);
  addSettledFlags(command, {
    'kube-api-content-type': {
      takes: ['', 'application/json', 'application/vnd.kubernetes.protobuf'],
      because: 'JSON is spoken with the API server, which takes both',
    },
  });
  return command;
}

/** Which of several acts. */
export interface LeaderElectionFlags {
  readonly leaderElect: boolean;
  readonly leaderElectLeaseDuration: number;
  readonly leaderElectRenewDeadline: number;
  readonly leaderElectRetryPeriod: number;
  readonly leaderElectResourceName: string;
  readonly leaderElectResourceNamespace: string;
}

export function addLeaderElectionFlags(command: Command, name: string): Command {
  command
    .addOption(onOff('leader-elect', 'act only while holding the lease', true))
    .option('--leader-elect-lease-duration <duration>', 'how long others wait for a leader that is silent', seconds, 15)
    .option('--leader-elect-renew-deadline <duration>', 'how long a leader tries to renew before it stops acting', seconds, 10)
    .option('--leader-elect-retry-period <duration>', 'how often is tried', seconds, 2)
    .option('--leader-elect-resource-name <name>', 'the lease', name)
    .option('--leader-elect-resource-namespace <namespace>', "the lease's namespace", 'kube-system');
  addSettledFlags(command, { 'leader-elect-resource-lock': { takes: ['leases'], because: 'leaders are elected by leases' } });
  return command;
}

/** What a component serves about itself, and to whom. */
export interface ServingFlags {
  readonly bindAddress: string;
  readonly securePort: number;
  readonly profiling: boolean;
  readonly certDir: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly tlsMinVersion?: 'VersionTLS12' | 'VersionTLS13';
  readonly tlsCipherSuites?: readonly string[];
  readonly authenticationKubeconfig?: string;
  readonly authorizationKubeconfig?: string;
  readonly authorizationAlwaysAllowPaths: readonly string[];
  readonly authenticationTokenWebhookCacheTtl: number;
  readonly authorizationWebhookCacheAuthorizedTtl: number;
  readonly authorizationWebhookCacheUnauthorizedTtl: number;
  readonly clientCaFile?: string;
  readonly requestheaderClientCaFile?: string;
  readonly requestheaderAllowedNames: readonly string[];
  readonly requestheaderUsernameHeaders: readonly string[];
  readonly requestheaderGroupHeaders: readonly string[];
  readonly requestheaderExtraHeadersPrefix: readonly string[];
}

/** Upstream's flags of secure serving with delegated authentication and authorization. */
export function addServingFlags(command: Command, port: number): Command {
  command
    .option('--bind-address <address>', 'where /healthz and /metrics are served', '0.0.0.0')
    .option('--secure-port <port>', 'their HTTPS port; 0: not served', portNumber, port)
    .option('--cert-dir <folder>', 'where the certificate made without --tls-cert-file is kept; empty: it is made anew at every start', '')
    .option('--tls-cert-file <file>', 'serving certificate')
    .option('--tls-private-key-file <file>', 'its key')
    .addOption(new Option('--tls-min-version <version>', 'oldest TLS that is spoken').choices(['VersionTLS12', 'VersionTLS13']))
    .option('--tls-cipher-suites <names>', 'cipher suites of TLS 1.2, by their IANA names', list)
    .option('--authentication-kubeconfig <file>', 'API server that knows bearer tokens and the client CA; absent: neither is known')
    .option('--authorization-kubeconfig <file>', 'API server that says who may see what; absent: only --authorization-always-allow-paths may be seen')
    .option('--authorization-always-allow-paths <paths>', 'seen by anybody', list, ['/healthz', '/readyz', '/livez'])
    .option('--authentication-token-webhook-cache-ttl <duration>', 'how long a token that was asked for is known', seconds, 10)
    .option('--authorization-webhook-cache-authorized-ttl <duration>', 'how long a yes holds', seconds, 10)
    .option('--authorization-webhook-cache-unauthorized-ttl <duration>', 'how long a no holds', seconds, 10)
    .option('--client-ca-file <file>', 'CA of client certificates; absent: the one the API server tells')
    .option('--requestheader-client-ca-file <file>', 'CA of proxies that say for whom they ask')
    .option('--requestheader-allowed-names <names>', "their certificates' common names; empty: any", list, [])
    .option('--requestheader-username-headers <names>', 'headers with the user', list, ['x-remote-user'])
    .option('--requestheader-group-headers <names>', 'headers with the groups', list, ['x-remote-group'])
    .option('--requestheader-extra-headers-prefix <prefixes>', 'prefixes of headers with more of the user', list, ['x-remote-extra-']);
  command.addOption(profilingFlag(true));
  addSettledFlags(command, {
    'authentication-skip-lookup': { takes: ['false'], because: 'the client CA is looked up when --client-ca-file is absent' },
    'authentication-tolerate-lookup-failure': { takes: ['true'], because: 'who cannot be looked up is not known' },
    'disable-http2-serving': { takes: ['true', 'false'], because: 'HTTP/1.1 is served' },
    'http2-max-streams-per-connection': { takes: 'any', because: 'HTTP/1.1 is served' },
    'permit-address-sharing': { takes: ['false'], because: 'the address is not shared' },
    'permit-port-sharing': { takes: ['false'], because: 'the port is not shared' },
    'tls-sni-cert-key': { takes: [''], because: 'one certificate is served' },
    'requestheader-uid-headers': { takes: ['', 'x-remote-uid'], because: 'the uid of proxied users is not used' },
  });
  return command;
}

/** Whether profiles of the process are served. */
export const profilingFlag = (byDefault?: boolean): Option =>
  onOff('profiling', 'serve profiles of this process at /debug/pprof/: profile, allocs, heap', byDefault);

/** What every component of upstream's takes about itself, besides `profilingFlag`. */
export function addDebuggingFlags(command: Command): Command {
  command
    .addOption(featureGates(kubernetesFeatureGates))
    .addOption(new Option('--logging-format <format>', "how log lines look: JSON (the default here), or upstream's text").choices(logFormats))
    .hook('preAction', (_this, action) => setLogFormat((action.opts() as { loggingFormat?: LogFormat }).loggingFormat ?? 'json'));
  addSettledFlags(command, {
    'contention-profiling': { takes: ['true', 'false'], because: 'there are no locks to profile' },
    'log-flush-frequency': { takes: 'any', because: 'every line is written at once' },
    'log-json-info-buffer-size': { takes: ['0'], because: 'every line is written at once' },
    'log-json-split-stream': { takes: ['false'], because: 'all lines go to standard output' },
    'log-text-info-buffer-size': { takes: ['0'], because: 'every line is written at once' },
    'log-text-split-stream': { takes: ['false'], because: 'all lines go to standard output' },
    vmodule: { takes: [''], because: 'verbosity is one for the whole component: --v' },
    'show-hidden-metrics-for-version': { takes: [''], because: 'no metric is hidden' },
    'disabled-metrics': { takes: [''], because: 'all metrics are served' },
    'allow-metric-labels': { takes: [''], because: 'all labels are served' },
    'allow-metric-labels-manifest': { takes: [''], because: 'all labels are served' },
    'emulated-version': { takes: ['1.36', 'kube=1.36', ''], because: 'this is Kubernetes 1.36' },
    'emulation-forward-compatible': { takes: ['false'], because: 'this is Kubernetes 1.36' },
    'min-compatibility-version': { takes: ['1.35', 'kube=1.35', '1.36', 'kube=1.36', ''], because: 'this is Kubernetes 1.36' },
  });
  return command;
}
