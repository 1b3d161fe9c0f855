import { X509Certificate } from 'node:crypto';
import type { FieldError } from '../field-error.js';
import type { CertificateSigningRequest } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, optionalEnum, requiredEnum } from './common.js';
import { duplicate, forbidden, invalid, required, tooLong } from './errors.js';
import { isDNS1123Label, isDNS1123Subdomain, type SyntaxCheck } from './names.js';
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

/** With `old`: what it has that is no longer allowed may stay. Whether the request is signed is the server's to check. */
export function validateCSR({ spec, status }: CertificateSigningRequest, old?: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = [];
  const request = Buffer.from(spec.request ?? '', 'base64').toString('latin1');
  if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(request)) {
    errors.push(invalid('spec.request', spec.request ?? '', 'PEM block type must be CERTIFICATE REQUEST'));
  }
  const usages = spec.usages ?? [];
  const before = old?.spec.usages ?? [];
  if (usages.length === 0) errors.push(required('spec.usages'));
  if (before.every((usage) => USAGES.includes(usage))) errors.push(...each(usages, 'spec.usages', (usage, path) => optionalEnum(usage, path, USAGES)));
  if (new Set(before).size === before.length) {
    errors.push(...each(usages, 'spec.usages', (usage, path, index) => (usages.indexOf(usage) < index ? [duplicate(path, usage)] : [])));
  }
  if (spec.signerName === LEGACY) {
    if (old?.spec.signerName !== LEGACY) errors.push(invalid('spec.signerName', LEGACY, 'the legacy signerName is not allowed via this API version'));
  } else errors.push(...validateSignerName(spec.signerName, 'spec.signerName'));
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600) {
    errors.push(invalid('spec.expirationSeconds', spec.expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)'));
  }
  errors.push(...validateConditions(status, old));
  const [certificate, issued] = [status?.certificate ?? '', old?.status?.certificate ?? ''];
  const wrong = old && (certificate === issued || certificateProblem(issued)) ? undefined : certificateProblem(certificate);
  return wrong === undefined ? errors : [...errors, invalid('status.certificate', '<certificate data>', wrong)];
}

const LEGACY = 'kubernetes.io/legacy-unknown';
const MAX_DOMAIN = 253;
const MAX_SIGNER = MAX_DOMAIN + 1 + MAX_DOMAIN + 63 + 1;

/** `domain.tld/path`. */
export function validateSignerName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)];
  const [domain = '', path, ...rest] = name.split('/');
  if (path === undefined || rest.length > 0) {
    return [invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  }
  const errors = domain.length > MAX_DOMAIN ? [tooLong(field, MAX_DOMAIN)] : [];
  const labels = (text: string, check: SyntaxCheck): void => {
    const label = text.split('.').find((each) => check(each).length > 0);
    if (label !== undefined) errors.push(...check(label).map((detail) => invalid(field, text, `validating label ${JSON.stringify(label)}: ${detail}`)));
  };
  labels(domain, isDNS1123Label);
  if (!domain.includes('.')) errors.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'));
  labels(path, isDNS1123Subdomain);
  return name.length > MAX_SIGNER ? [...errors, tooLong(field, MAX_SIGNER)] : errors;
}

/** What is wrong with an issued chain of certificates; none at all is fine. */
function certificateProblem(base64: string): string | undefined {
  if (base64 === '') return undefined;
  const blocks = [
    ...Buffer.from(base64, 'base64')
      .toString('latin1')
      .matchAll(/-----BEGIN ([^-]*)-----([\s\S]*?)-----END \1-----/g),
  ];
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block';
  for (const [block, type = '', body = ''] of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (body.includes(':')) return 'no PEM block headers are permitted';
    try {
      new X509Certificate(block);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

const STATUSES = ['False', 'True', 'Unknown'];
const FINAL = ['Approved', 'Denied', 'Failed'];

function validateConditions(status: CertificateSigningRequest['status'], old: CertificateSigningRequest | undefined): FieldError[] {
  const types = (status?.conditions ?? []).map(({ type }) => type);
  const before = (old?.status?.conditions ?? []).map(({ type }) => type);
  const repeats = new Set(before).size < before.length;
  const both = before.includes('Approved') && before.includes('Denied');
  return each(status?.conditions, 'status.conditions', ({ type, status: value }, path, index) => {
    const errors = type || before.includes('') ? [] : [required(`${path}.type`)];
    errors.push(...requiredEnum(value, `${path}.status`, FINAL.includes(type) ? ['True'] : STATUSES));
    const other = { Approved: 'Denied', Denied: 'Approved' }[type];
    if (!both && other && types.slice(0, index).includes(other)) {
      errors.push(invalid('status.conditions', type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (!repeats && types.indexOf(type) < index) errors.push(duplicate(`${path}.type`, type));
    return errors;
  });
}

type Conditions = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>;

const of = (object: CertificateSigningRequest, type: string): Conditions => (object.status?.conditions ?? []).filter((each) => each.type === type);

const kept = (object: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] =>
  FINAL.filter((type) => of(object, type).length < of(old, type).length).map((type) =>
    forbidden('status.conditions', `updates may not remove a condition of type ${JSON.stringify(type)}`),
  );

export const validateCSRUpdate = (object: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] => immutable(object.spec, old.spec, 'spec');

/** The signer may not decide, nor replace a certificate it issued. */
export function validateCSRStatusUpdate(object: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const errors = kept(object, old);
  for (const type of ['Approved', 'Denied']) {
    const [now, before] = [of(object, type), of(old, type)];
    if (now.length > before.length) errors.push(forbidden('status.conditions', `updates may not add a condition of type ${JSON.stringify(type)}`));
    else if (now.length === before.length && !deepEqual(now, before)) {
      errors.push(forbidden('status.conditions', `updates may not modify a condition of type ${JSON.stringify(type)}`));
    }
  }
  const issued = old.status?.certificate;
  if (issued && object.status?.certificate !== issued) errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'));
  return errors;
}

/** A decision is final, and approval alone issues nothing. */
export function validateApprovalUpdate(object: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const errors = kept(object, old);
  if (object.status?.certificate !== old.status?.certificate) errors.push(forbidden('status.certificate', 'updates may not set certificate content'));
  return errors;
}
