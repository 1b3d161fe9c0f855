import { IpRange } from '../services/ip-range.js';
import type { FlagReader, FlagTable } from './flag-reader.js';

/** What of the cluster the API server has to know: services, kubelets, other servers, and which API it serves. */
export interface ClusterConfig {
  readonly serviceClusterIPRanges: readonly string[];
  readonly nodePorts: { readonly from: number; readonly to: number };
  readonly kubeletClientCertificate: string | undefined;
  readonly kubeletClientKey: string | undefined;
  readonly kubeletCertificateAuthority: string | undefined;
  readonly kubeletPreferredAddressTypes: readonly string[];
  readonly proxyClientCertFile: string | undefined;
  readonly proxyClientKeyFile: string | undefined;
  readonly apiRoutesConfig: string | undefined;
  readonly egressSelectorConfigFile: string | undefined;
  /** Keep this server among the endpoints of the `kubernetes` Service. */
  readonly publishEndpoints: boolean;
  /** What is turned on and off, in the order given: `apps/v1`, `api/beta`. */
  readonly runtimeConfig: ReadonlyMap<string, boolean>;
}

export const clusterFlags: FlagTable = {
  'api-routes-config': 'ApiRoutesConfiguration file: which requests other servers answer',
  'egress-selector-config-file': 'EgressSelectorConfiguration file: connections are Direct here, and it may ask for nothing else',
  'endpoint-reconciler-type': 'Who keeps the endpoints of the kubernetes Service: lease (all API servers that are there), none (default lease)',
  'kubelet-certificate-authority': "PEM bundle that signs kubelets' certificates",
  'kubelet-client-certificate': 'Client certificate shown to kubelets',
  'kubelet-client-key': 'Key of the client certificate shown to kubelets',
  'kubelet-preferred-address-types': 'Which addresses of nodes to use, in order (default InternalIP,ExternalIP,Hostname,InternalDNS,ExternalDNS)',
  'proxy-client-cert-file': 'Client certificate shown to the servers of aggregated groups',
  'proxy-client-key-file': 'Key of the client certificate shown to the servers of aggregated groups',
  'runtime-config': 'Turn built-in APIs on and off: group/version=true|false, api/all, api/ga, api/beta, api/alpha',
  'service-cluster-ip-range': 'CIDRs of service addresses, one per family (default 10.0.0.0/24)',
  'service-node-port-range': 'Node ports (default 30000-32767)',
};

export function parseClusterFlags(reader: FlagReader): ClusterConfig {
  return {
    serviceClusterIPRanges: rangesOf(reader),
    nodePorts: nodePortsOf(reader),
    kubeletClientCertificate: reader.text('kubelet-client-certificate'),
    kubeletClientKey: reader.text('kubelet-client-key'),
    kubeletCertificateAuthority: reader.text('kubelet-certificate-authority'),
    kubeletPreferredAddressTypes: reader.list('kubelet-preferred-address-types', ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS']),
    proxyClientCertFile: reader.text('proxy-client-cert-file'),
    proxyClientKeyFile: reader.text('proxy-client-key-file'),
    apiRoutesConfig: reader.text('api-routes-config'),
    egressSelectorConfigFile: reader.text('egress-selector-config-file'),
    publishEndpoints: publishes(reader),
    runtimeConfig: runtimeConfigOf(reader),
  };
}

function rangesOf(reader: FlagReader): readonly string[] {
  const ranges = reader.list('service-cluster-ip-range', ['10.0.0.0/24']);
  if (ranges.length > 2) reader.problem('service-cluster-ip-range', 'at most one range of each family');
  for (const range of ranges) {
    try {
      new IpRange(range);
    } catch (error) {
      reader.problem('service-cluster-ip-range', (error as Error).message);
    }
  }
  return ranges;
}

/** `30000-32767`, or `30000+2767`, as upstream also takes it. */
function nodePortsOf(reader: FlagReader): ClusterConfig['nodePorts'] {
  const text = reader.text('service-node-port-range') ?? '30000-32767';
  const [, first, sign, second] = /^(\d+)([-+])(\d+)$/.exec(text) ?? [];
  const from = Number(first);
  const to = sign === '+' ? from + Number(second) : Number(second);
  if (first === undefined || from < 1 || to > 65_535 || from > to)
    reader.problem('service-node-port-range', `${JSON.stringify(text)} is not a range of ports such as 30000-32767`);
  return { from, to };
}

function publishes(reader: FlagReader): boolean {
  const type = reader.oneOf('endpoint-reconciler-type', ['lease', 'none', 'master-count'], 'lease');
  if (type === 'master-count') reader.problem('endpoint-reconciler-type', 'master-count is not here: take lease, which sees servers come and go');
  return type === 'lease';
}

function runtimeConfigOf(reader: FlagReader): ReadonlyMap<string, boolean> {
  const pairs = reader.list('runtime-config').map((pair) => {
    const [key = '', value = ''] = pair.split('=', 2);
    // Upstream takes a bare name and an empty value as true.
    const on = value === '' || /^true$/i.test(value);
    if (!on && !/^false$/i.test(value)) reader.problem('runtime-config', `invalid value ${pair}: give true or false`);
    return [key, on] as const;
  });
  return new Map(pairs);
}
