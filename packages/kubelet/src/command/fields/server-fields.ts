import type { Field } from '../kubelet-settings.js';
import { duration, given, orDefault, settled, settledStrictly } from '../field-kinds.js';
import { cipherSuites, tlsVersion } from '../tls-names.js';
import { boolean, fields, ms, oneOf, port, text } from '../takes.js';

const times = { cacheTTL: ms };
const authentication = fields<{
  anonymous: Partial<{ enabled: boolean }>;
  webhook: Partial<{ enabled: boolean; cacheTTL: number }>;
  x509: Partial<{ clientCAFile: string }>;
}>({
  anonymous: fields<{ enabled: boolean }>({ enabled: boolean }),
  webhook: fields<{ enabled: boolean; cacheTTL: number }>({ enabled: boolean, ...times }),
  x509: fields<{ clientCAFile: string }>({ clientCAFile: text }),
});
const authorization = fields<{ mode: '' | 'Webhook' | 'AlwaysAllow'; webhook: Partial<{ cacheAuthorizedTTL: number; cacheUnauthorizedTTL: number }> }>({
  mode: oneOf('Webhook', 'AlwaysAllow', ''),
  webhook: fields<{ cacheAuthorizedTTL: number; cacheUnauthorizedTTL: number }>({ cacheAuthorizedTTL: ms, cacheUnauthorizedTTL: ms }),
});

/** Where the kubelet is reached, by whom, and what it serves. */
export const serverFields: Readonly<Record<string, Field>> = {
  enableServer: settledStrictly([true], 'the HTTPS API is always served'),
  address: orDefault('address', text),
  port: orDefault('port', port),
  readOnlyPort: orDefault('readOnlyPort', port),
  healthzPort: given('healthzPort', port),
  healthzBindAddress: orDefault('healthzBindAddress', text),
  tlsCertFile: orDefault('tlsCertFile', text),
  tlsPrivateKeyFile: orDefault('tlsPrivateKeyFile', text),
  tlsCipherSuites: (v) => {
    const ciphers = cipherSuites(v);
    return ciphers === undefined ? {} : { tlsCiphers: ciphers };
  },
  tlsMinVersion: (v) => (v === '' ? {} : { tlsMinVersion: tlsVersion(v) }),
  tlsCurvePreferences: settled([], "OpenSSL's curves are used"),
  rotateCertificates: given('rotateCertificates', boolean),
  serverTLSBootstrap: given('serverTLSBootstrap', boolean),
  authentication: (v) => {
    const { anonymous, webhook, x509 } = authentication(v);
    return {
      ...(anonymous?.enabled === undefined ? {} : { anonymousAuth: anonymous.enabled }),
      ...(webhook?.enabled === undefined ? {} : { webhookAuth: webhook.enabled }),
      ...(webhook?.cacheTTL ? { tokenCacheMs: webhook.cacheTTL } : {}),
      ...(x509?.clientCAFile ? { clientCAFile: x509.clientCAFile } : {}),
    };
  },
  authorization: (v) => {
    const { mode, webhook } = authorization(v);
    return {
      ...(mode ? { authorization: mode } : {}),
      ...(webhook?.cacheAuthorizedTTL ? { allowedCacheMs: webhook.cacheAuthorizedTTL } : {}),
      ...(webhook?.cacheUnauthorizedTTL ? { deniedCacheMs: webhook.cacheUnauthorizedTTL } : {}),
    };
  },
  enableDebuggingHandlers: given('enableDebuggingHandlers', boolean),
  enableContentionProfiling: settled([], 'there is no Go scheduler to profile'),
  enableProfilingHandler: given('enableProfilingHandler', boolean),
  enableDebugFlagsHandler: given('enableDebugFlagsHandler', boolean),
  enableSystemLogHandler: given('enableSystemLogHandler', boolean),
  enableSystemLogQuery: settled([], 'logs of services are not queried: /logs serves files'),
  streamingConnectionIdleTimeout: duration('streamingConnectionIdleTimeoutMs'),
  showHiddenMetricsForVersion: settled(['1.35'], 'no metric is hidden'),
  runtimeRequestTimeout: duration('runtimeRequestTimeoutMs'),
};
