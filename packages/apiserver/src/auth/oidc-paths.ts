import { jwks } from '@coxswain/pki';
import type { PathHandler } from '../api-handler.js';
import type { SigningKey } from './token-keys.js';
import { publicPem } from './token-keys.js';

/** So long keys are good for those who verify: a new one has to be published before it signs. */
const headers = { 'cache-control': 'public, max-age=3600' };

/** The documents by which others verify service account tokens. */
export function oidcPaths(issuer: string, keys: readonly SigningKey[], jwksUri: string): PathHandler {
  const configuration = {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map((key) => key.algorithm))],
  };
  const keySet = jwks([...new Set(keys.map((key) => publicPem(key.key)))]);
  return {
    handle(context) {
      switch (context.info.path.replace(/\/$/, '')) {
        case '/.well-known/openid-configuration':
          return { type: 'bytes', status: 200, contentType: 'application/json', headers, body: Buffer.from(JSON.stringify(configuration)) };
        case '/openid/v1/jwks':
          return { type: 'bytes', status: 200, contentType: 'application/jwk-set+json', headers, body: Buffer.from(JSON.stringify(keySet)) };
        default:
          return undefined;
      }
    },
  };
}
