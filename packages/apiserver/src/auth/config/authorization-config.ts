import { ConfigFileError, ConfigReader } from './config-reader.js';

export interface WebhookAuthorizerConfig {
  readonly type: 'Webhook';
  readonly name: string;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  readonly timeoutMs: number;
  readonly version: 'v1' | 'v1beta1';
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  readonly kubeconfigFile: string;
  readonly matchConditions: readonly string[];
}

export type AuthorizerConfig = { readonly type: 'Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny' } | WebhookAuthorizerConfig;

const TYPES = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'] as const;
const MAX_TIMEOUT_MS = 30_000;

/** An AuthorizationConfiguration of apiserver.config.k8s.io in YAML. Throws ConfigFileError with everything that is wrong. */
export function parseAuthorizationConfig(text: string): AuthorizerConfig[] {
  const file = ConfigReader.file(text, 'AuthorizationConfiguration');
  const names = new Map<string, string>();
  const types = new Set<string>();
  const out = file.objects('authorizers').map((reader) => {
    const type = reader.oneOf('type', TYPES);
    const name = reader.string('name');
    if (names.has(`${type}/${name}`)) reader.problem('name', `Duplicate value: ${JSON.stringify(name)}`);
    names.set(`${type}/${name}`, name);
    if (type !== 'Webhook' && types.has(type)) reader.problem('type', `Duplicate value: ${JSON.stringify(type)}`);
    types.add(type);
    if (type !== 'Webhook') {
      if (reader.has('webhook')) reader.problem('webhook', 'Invalid value: may only be specified when type=Webhook');
      reader.object('webhook');
      reader.done();
      return { type };
    }
    if (!reader.has('webhook')) reader.problem('webhook', 'Required value: required when type=Webhook');
    const config = webhookOf(reader.object('webhook'), name);
    reader.done();
    return config;
  });
  if (out.length === 0) file.problem('authorizers', 'Required value: at least one authorization mode must be defined');
  file.done();
  if (file.problems.length > 0) throw new ConfigFileError(file.problems);
  return out;
}

function webhookOf(reader: ConfigReader, name: string): WebhookAuthorizerConfig {
  const connection = reader.object('connectionInfo');
  const kind = connection.oneOf('type', ['KubeConfigFile']);
  const kubeconfigFile = connection.string('kubeConfigFile', kind === 'KubeConfigFile' ? undefined : '');
  connection.done();
  const matchConditions = reader.objects('matchConditions').map((condition) => {
    const expression = condition.string('expression');
    condition.done();
    return expression;
  });
  if (matchConditions.length > 0) reader.oneOf('matchConditionSubjectAccessReviewVersion', ['v1']);
  else reader.string('matchConditionSubjectAccessReviewVersion', '');
  const timeoutMs = reader.duration('timeout', 0);
  if (timeoutMs <= 0 || timeoutMs > MAX_TIMEOUT_MS) reader.problem('timeout', 'Invalid value: must be more than 0 and at most 30s');
  const config: WebhookAuthorizerConfig = {
    type: 'Webhook',
    name,
    authorizedTtlMs: reader.boolean('cacheAuthorizedRequests', true) ? reader.duration('authorizedTTL', 300_000) : 0,
    unauthorizedTtlMs: reader.boolean('cacheUnauthorizedRequests', true) ? reader.duration('unauthorizedTTL', 30_000) : 0,
    timeoutMs,
    version: reader.oneOf('subjectAccessReviewVersion', ['v1', 'v1beta1']),
    failurePolicy: reader.oneOf('failurePolicy', ['NoOpinion', 'Deny']),
    kubeconfigFile,
    matchConditions,
  };
  // Asked for even where caching is off.
  reader.duration('authorizedTTL', 0);
  reader.duration('unauthorizedTTL', 0);
  reader.done();
  return config;
}
