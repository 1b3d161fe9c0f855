import { parseDuration } from '@coxswain/apimachinery';
import type { ConfigObject, ConfigReader } from '@coxswain/sdk';
import type { ExtenderConfig, ExtenderTls } from '../extenders/extender-config.js';

const DEFAULT_TIMEOUT_MS = 5000;
/** Of another domain than Kubernetes' own. */
const EXTENDED_RESOURCE =
  /^(?!requests\.)(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?\.)*(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?<!kubernetes\.io)\/[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

const fields = [
  'urlPrefix',
  'filterVerb',
  'preemptVerb',
  'prioritizeVerb',
  'weight',
  'bindVerb',
  'enableHTTPS',
  'tlsConfig',
  'httpTimeout',
  'nodeCacheCapable',
  'managedResources',
  'ignorable',
];

/** `extenders` of a KubeSchedulerConfiguration, in the order they are asked in: those that may be ignored come last, as upstream has it. */
export function parseExtenders(read: ConfigReader, value: unknown): ExtenderConfig[] {
  const extenders = read.list(value, 'extenders').map((each, i) => extender(read, each, `extenders[${i}]`));
  const binders = extenders.filter((e) => e.bindVerb !== undefined).length;
  if (binders > 1) read.problem('extenders', `found ${binders} extenders implementing bind: only one extender can implement bind`);
  const managed = new Set<string>();
  for (const [i, { managedResources }] of extenders.entries()) {
    for (const [j, { name }] of managedResources.entries()) {
      if (managed.has(name)) read.problem(`extenders[${i}].managedResources[${j}].name`, `duplicate extender managed resource name ${JSON.stringify(name)}`);
      managed.add(name);
    }
  }
  return [...extenders.filter((e) => !e.ignorable), ...extenders.filter((e) => e.ignorable)];
}

function extender(read: ConfigReader, value: unknown, at: string): ExtenderConfig {
  const doc = read.object(value, at, fields);
  const verb = (name: string) => (doc[name] === undefined || doc[name] === '' ? {} : { [name]: read.text(doc[name], `${at}.${name}`, '') });
  const urlPrefix = read.text(doc['urlPrefix'], `${at}.urlPrefix`, '');
  const url = URL.canParse(urlPrefix) ? new URL(urlPrefix) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    read.problem(`${at}.urlPrefix`, `must be a URL of http or https, got ${JSON.stringify(doc['urlPrefix'])}`);
  const config: ExtenderConfig = {
    urlPrefix,
    ...verb('filterVerb'),
    ...verb('preemptVerb'),
    ...verb('prioritizeVerb'),
    ...verb('bindVerb'),
    weight: read.integer(doc['weight'], `${at}.weight`, 0, 0),
    enableHTTPS: read.boolean(doc['enableHTTPS'], `${at}.enableHTTPS`, false),
    tls: tlsConfig(read, doc['tlsConfig'], `${at}.tlsConfig`),
    timeoutMs: read.parsed(doc['httpTimeout'], `${at}.httpTimeout`, DEFAULT_TIMEOUT_MS, 'a duration', timeout),
    nodeCacheCapable: read.boolean(doc['nodeCacheCapable'], `${at}.nodeCacheCapable`, false),
    managedResources: read.list(doc['managedResources'], `${at}.managedResources`).map((v, i) => managedResource(read, v, `${at}.managedResources[${i}]`)),
    ignorable: read.boolean(doc['ignorable'], `${at}.ignorable`, false),
  };
  if (config.prioritizeVerb !== undefined && config.weight <= 0) read.problem(`${at}.weight`, 'must have a positive weight applied to it');
  return config;
}

/** None, or one of zero, is the default's. */
function timeout(value: unknown): number | undefined {
  const ms = parseDuration(String(value));
  if (ms === undefined || ms < 0) return undefined;
  return ms === 0 ? DEFAULT_TIMEOUT_MS : ms;
}

function managedResource(read: ConfigReader, value: unknown, at: string): ExtenderConfig['managedResources'][number] {
  const doc = read.object(value, at, ['name', 'ignoredByScheduler']);
  const name = read.text(doc['name'], `${at}.name`, '');
  if (!EXTENDED_RESOURCE.test(name)) read.problem(`${at}.name`, `${JSON.stringify(name)} is an invalid extended resource name`);
  return { name, ignoredByScheduler: read.boolean(doc['ignoredByScheduler'], `${at}.ignoredByScheduler`, false) };
}

function tlsConfig(read: ConfigReader, value: unknown, at: string): ExtenderTls {
  const doc = read.object(value, at, ['insecure', 'serverName', 'certFile', 'keyFile', 'caFile', 'certData', 'keyData', 'caData']);
  const given = (name: string) => doc[name] !== undefined && doc[name] !== '';
  const text = (name: string) => (given(name) ? { [name]: read.text(doc[name], `${at}.${name}`, '') } : {});
  const insecure = read.boolean(doc['insecure'], `${at}.insecure`, false);
  if (insecure && (given('caFile') || given('caData'))) read.problem(at, 'specifying a root certificates file with the insecure flag is not allowed');
  if ((given('certFile') || given('certData')) !== (given('keyFile') || given('keyData'))) read.problem(at, 'a certificate and its key are needed, or neither');
  return {
    insecure,
    ...text('serverName'),
    ...text('certFile'),
    ...text('keyFile'),
    ...text('caFile'),
    ...pem(read, doc, 'certData', at),
    ...pem(read, doc, 'keyData', at),
    ...pem(read, doc, 'caData', at),
  };
}

/** Bytes in a configuration are base64. */
function pem(read: ConfigReader, doc: ConfigObject, name: 'certData' | 'keyData' | 'caData', at: string): Partial<ExtenderTls> {
  if (doc[name] === undefined || doc[name] === '') return {};
  const text = Buffer.from(read.text(doc[name], `${at}.${name}`, ''), 'base64').toString();
  if (!text.includes('-----BEGIN ')) read.problem(`${at}.${name}`, 'is not PEM in base64');
  return { [name]: text };
}
