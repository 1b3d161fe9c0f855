import type { CertificateSigningRequest } from '@coxswain/api';
import { readSigningRequest } from '@coxswain/pki';
import type { ResourceHooks } from '../rest/resource-hooks.js';

/** A request is one, and signed with the key it is for. Once it is there it does not change. */
export const csrHooks: ResourceHooks = {
  validate(object, old) {
    if (old) return [];
    const { request } = (object as CertificateSigningRequest).spec;
    try {
      readSigningRequest(Buffer.from(request, 'base64').toString('latin1'));
      return [];
    } catch (error) {
      return [{ type: 'FieldValueInvalid', field: 'spec.request', message: `Invalid value: ${JSON.stringify(request)}: ${(error as Error).message}` }];
    }
  },
};
