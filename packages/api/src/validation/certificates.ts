import type { FieldError } from '../field-error.js';
import type { CertificateSigningRequest } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, requiredEnum } from './common.js';
import { duplicate, forbidden, invalid, required } from './errors.js';
import { isDNS1123Subdomain } from './names.js';
import { immutable } from './object-meta.js';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

export function validateCSR({ spec, status }: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.request) errors.push(required('spec.request'));
  else if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(Buffer.from(spec.request, 'base64').toString('latin1'))) {
    errors.push(invalid('spec.request', spec.request, 'PEM block type must be CERTIFICATE REQUEST'));
  }
  if ((spec.usages ?? []).length === 0) errors.push(required('spec.usages'));
  errors.push(
    ...each(spec.usages, 'spec.usages', (usage, path, index) =>
      (spec.usages ?? []).indexOf(usage) < index ? [duplicate(path, usage)] : requiredEnum(usage, path, USAGES),
    ),
  );
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600) {
    errors.push(invalid('spec.expirationSeconds', spec.expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)'));
  }
  return [...errors, ...validateSigner(spec.signerName), ...validateConditions(status)];
}

function validateSigner(name: string): FieldError[] {
  if (!name) return [required('spec.signerName')];
  const [domain = '', path, ...rest] = name.split('/');
  if (path === undefined || rest.length > 0)
    return [invalid('spec.signerName', name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  const wrong = [...isDNS1123Subdomain(domain), ...isDNS1123Subdomain(path)];
  if (!domain.includes('.')) wrong.push('should be a domain with at least two segments separated by dots');
  if (name === 'kubernetes.io/legacy-unknown') wrong.push('the legacy signerName is not allowed via this API version');
  return wrong.map((detail) => invalid('spec.signerName', name, detail));
}

function validateConditions(status: CertificateSigningRequest['status']): FieldError[] {
  const conditions = status?.conditions ?? [];
  const types = conditions.map(({ type }) => type);
  const errors = each(conditions, 'status.conditions', ({ type, status: value }, path, index) => {
    if (!type) return [required(`${path}.type`)];
    const found: FieldError[] = types.indexOf(type) < index ? [duplicate(`${path}.type`, type)] : [];
    if (['Approved', 'Denied', 'Failed'].includes(type) && value !== 'True') found.push(...requiredEnum(value, `${path}.status`, ['True']));
    return found;
  });
  if (types.includes('Approved') && types.includes('Denied')) {
    errors.push(invalid('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive'));
  }
  return errors;
}

type Conditions = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>;

const of = (object: CertificateSigningRequest, ...types: string[]): Conditions => (object.status?.conditions ?? []).filter(({ type }) => types.includes(type));

const bare = (conditions: Conditions): unknown => conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message }));

const kept = (object: CertificateSigningRequest, old: CertificateSigningRequest, types: readonly string[]): FieldError[] =>
  types.flatMap((type) =>
    of(old, type).length > 0 && of(object, type).length === 0
      ? [forbidden('status.conditions', `updates may not remove a condition of type ${JSON.stringify(type)}`)]
      : [],
  );

export const validateCSRUpdate = (object: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] => immutable(object.spec, old.spec, 'spec');

/** The signer may not decide, nor replace a certificate it issued. */
export function validateCSRStatusUpdate(object: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const errors = kept(object, old, ['Failed']);
  if (!deepEqual(bare(of(object, 'Approved', 'Denied')), bare(of(old, 'Approved', 'Denied')))) {
    errors.push(forbidden('status.conditions', 'updates may not modify conditions of type "Approved" or "Denied"'));
  }
  const issued = old.status?.certificate;
  if (issued && object.status?.certificate !== issued) errors.push(forbidden('status.certificate', 'updates may not set certificate content once it is set'));
  return errors;
}

/** A decision is final, and approval alone issues nothing. */
export function validateApprovalUpdate(object: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const errors = kept(object, old, ['Approved', 'Denied', 'Failed']);
  if (object.status?.certificate !== old.status?.certificate) errors.push(forbidden('status.certificate', 'updates may not set certificate content'));
  return errors;
}
