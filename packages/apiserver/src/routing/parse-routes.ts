import type { ApiBackend } from '@coxswain/sdk';
import { ConfigFileError, ConfigReader } from '../auth/config/config-reader.js';
import type { RouteMatch, RouteRule } from './rule-router.js';

const API_VERSION = 'apiserver.coxswain.dev/v1alpha1';
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', '*'];

/** An ApiRoutesConfiguration of apiserver.coxswain.dev in YAML. Throws ConfigFileError with everything that is wrong. */
export function parseRoutes(text: string): RouteRule[] {
  const file = ConfigReader.file(text, 'ApiRoutesConfiguration', [API_VERSION]);
  const backends = new Map(file.objects('backends').map((reader) => backendOf(reader)));
  const names = new Set<string>();
  const rules = file.objects('routes').map((reader) => {
    const rule = ruleOf(reader, backends);
    if (names.has(rule.route.name)) reader.problem('name', `Duplicate value: ${JSON.stringify(rule.route.name)}`);
    names.add(rule.route.name);
    return rule;
  });
  file.done();
  if (file.problems.length > 0) throw new ConfigFileError(file.problems);
  return rules;
}

function backendOf(reader: ConfigReader): [string, ApiBackend] {
  const name = reader.string('name');
  const url = reader.string('url', '');
  const ca = reader.string('certificateAuthority', '');
  const insecure = reader.boolean('insecureSkipTLSVerify', false);
  let target: ApiBackend['target'] = { url };
  if (reader.has('service') === (url !== '')) reader.problem('service', 'exactly one of service and url is required');
  if (reader.has('service')) {
    const service = reader.object('service');
    target = { service: { namespace: service.string('namespace'), name: service.string('name'), port: service.integer('port', 1, 65_535, 443) } };
    service.done();
  } else if (url !== '' && !/^https:\/\/[^/]+\/?$/.test(url)) reader.problem('url', `Invalid value: ${JSON.stringify(url)}: must be https://host:port`);
  if (ca !== '' && insecure) reader.problem('insecureSkipTLSVerify', 'may not be true if certificateAuthority is present');
  reader.done();
  return [name, { name, target, ...(ca === '' ? {} : { ca }), ...(insecure ? { insecureSkipTlsVerify: true } : {}) }];
}

function ruleOf(reader: ConfigReader, backends: ReadonlyMap<string, ApiBackend>): RouteRule {
  const name = reader.string('name');
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) reader.problem('name', `Invalid value: ${JSON.stringify(name)}: must be a DNS label`);
  const backendName = reader.string('backend');
  const backend = backends.get(backendName);
  if (!backend) reader.problem('backend', `Not found: ${JSON.stringify(backendName)}`);
  const rule: RouteRule = {
    route: {
      name,
      backend: backend ?? { name: backendName, target: { url: '' } },
      failurePolicy: reader.oneOf('failurePolicy', ['Fail', 'Ignore'], 'Fail'),
    },
    match: matchOf(reader.object('match')),
    priority: reader.integer('priority', -1_000_000, 1_000_000, 0),
    percent: reader.integer('percent', 0, 100, 100),
    stickiness: reader.oneOf('stickiness', ['User', 'Request'], 'User'),
  };
  reader.done();
  return rule;
}

function matchOf(reader: ConfigReader): RouteMatch {
  const list = (name: string): readonly string[] | undefined => {
    if (!reader.has(name)) return undefined;
    const values = reader.strings(name);
    if (values.length === 0) reader.problem(name, 'may not be empty: leave it out to match everything');
    return values;
  };
  const names = ['verbs', 'groups', 'versions', 'resources', 'namespaces', 'users', 'userGroups'] as const;
  const match: RouteMatch = Object.fromEntries(names.flatMap((name) => [[name, list(name)] as const]).filter(([, values]) => values !== undefined));
  for (const verb of match.verbs ?? [])
    if (!VERBS.includes(verb)) reader.problem('verbs', `Unsupported value: ${JSON.stringify(verb)}: supported values: ${VERBS.join(', ')}`);
  reader.done();
  return match;
}
