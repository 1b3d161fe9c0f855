import { JSON_SCHEMA, load } from 'js-yaml';

/** Where spans are sent, and of how many requests in a million, besides those whose caller asks for it. */
export interface TracingConfig {
  /** Of the collector's gRPC. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly samplingRatePerMillion: number;
}

const VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.config.k8s.io/v1beta1', 'apiserver.config.k8s.io/v1alpha1'];
const DEFAULT_ENDPOINT = 'localhost:4317';
const DEFAULT_PORT = 4317;

/** A TracingConfiguration. Throws with what is wrong. */
export function parseTracingConfig(text: string): TracingConfig {
  const config = (load(text, { schema: JSON_SCHEMA }) ?? {}) as Readonly<Record<string, unknown>>;
  if (config.kind !== 'TracingConfiguration' || !VERSIONS.includes(String(config.apiVersion)))
    throw new Error(`not a TracingConfiguration of ${VERSIONS.join(', ')}`);
  for (const name of Object.keys(config))
    if (!['apiVersion', 'kind', 'endpoint', 'samplingRatePerMillion'].includes(name)) throw new Error(`unknown field ${JSON.stringify(name)}`);
  const rate = config.samplingRatePerMillion ?? 0;
  if (typeof rate !== 'number' || !Number.isInteger(rate) || rate < 0 || rate > 1_000_000)
    throw new Error(`samplingRatePerMillion: Invalid value: ${JSON.stringify(rate)}: must be a whole number from 0 to 1000000`);
  return { address: addressOf(config.endpoint ?? DEFAULT_ENDPOINT), samplingRatePerMillion: rate };
}

function addressOf(endpoint: unknown): TracingConfig['address'] {
  const wrong = (why: string) => new Error(`endpoint: Invalid value: ${JSON.stringify(endpoint)}: ${why}`);
  if (typeof endpoint !== 'string') throw wrong('must be a string');
  const unix = /^unix:(?:\/\/)?(\/.+)$/.exec(endpoint);
  if (unix) return { path: unix[1] as string };
  const [, scheme = 'dns', rest = ''] = /^(?:([a-z-]+):\/\/\/?)?(.*)$/.exec(endpoint) ?? [];
  if (scheme !== 'dns') throw wrong(`unsupported scheme: ${scheme}. Options are none, dns, or unix`);
  const [, six, four, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(rest) ?? [];
  const host = six ?? four ?? '';
  if (host === '') throw wrong('must be host:port');
  return { host, port: port === undefined ? DEFAULT_PORT : Number(port) };
}
