import { createSigningRequest } from '@coxswain/pki';
import { expect, test } from 'vitest';
import { csrHooks } from './csr-hooks.js';

test('a request is signed with the key it is for', async () => {
  const { request } = await createSigningRequest({ commonName: 'ann', organizations: [] });
  const check = (pem: string) =>
    csrHooks.validate?.(
      { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: {}, spec: { request: Buffer.from(pem).toString('base64') } },
      undefined,
    );
  expect(check(request)).toEqual([]);
  const [, body = ''] = /-----\n([\s\S]*)\n-----END/.exec(request) ?? [];
  const bytes = Buffer.from(body, 'base64');
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  expect(check(request.replace(body, bytes.toString('base64')))).toMatchObject([{ field: 'spec.request', type: 'FieldValueInvalid' }]);
});
