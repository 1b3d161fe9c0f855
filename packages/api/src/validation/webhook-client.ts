import type { FieldError } from '../field-error.js';
import { invalid, required } from './errors.js';
import { isDNS1123Subdomain, isPortNumber } from './names.js';

/** Where a webhook of any kind is called. */
export interface WebhookClient {
  readonly url?: string;
  readonly service?: { readonly name?: string; readonly namespace?: string; readonly path?: string; readonly port?: number };
}

export function validateWebhookClient(client: WebhookClient | undefined, field: string): FieldError[] {
  const { url, service } = client ?? {};
  if ((url === undefined) === (service === undefined)) return [required(field, 'exactly one of url or service is required')];
  return url === undefined ? validateService(service ?? {}, `${field}.service`) : validateUrl(url, `${field}.url`);
}

/** Upstream misses the name as `namespace` and the namespace as `name`. */
function validateService({ name, namespace, path, port = 443 }: NonNullable<WebhookClient['service']>, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!namespace) errors.push(required(`${field}.name`));
  if (!name) errors.push(required(`${field}.namespace`));
  const wrong = isPortNumber(port);
  if (wrong.length > 0) errors.push(invalid(`${field}.port`, port, `port is not valid: ${wrong.join(', ')}`));
  return path === undefined || path === '' || path === '/' ? errors : [...errors, ...validatePath(path, `${field}.path`)];
}

function validatePath(path: string, field: string): FieldError[] {
  if (path === '//') return [invalid(field, path, 'segment[0] may not be empty')];
  const errors = path.startsWith('/') ? [] : [invalid(field, path, "must start with a '/'")];
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  segments.forEach((segment, index) => {
    if (segment === '') errors.push(invalid(field, path, `segment[${index}] may not be empty`));
    else errors.push(...isDNS1123Subdomain(segment).map((detail) => invalid(field, path, `segment[${index}]: ${detail}`)));
  });
  return errors;
}

const URL_PARTS = /^(?:([a-zA-Z][a-zA-Z\d+.-]*):)?(?:\/\/(?:([^/?#]*)@)?([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s;
const FORM = '; desired format: https://host[/path]';

function validateUrl(text: string, field: string): FieldError[] {
  const wrong = wrongUrl(text);
  if (wrong) return [required(field, `url must be a valid URL: parse ${JSON.stringify(text)}: ${wrong}${FORM}`)];
  const [, scheme = '', user, host = '', query, fragment] = URL_PARTS.exec(text) ?? [];
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== 'https') errors.push(invalid(field, scheme.toLowerCase(), `'https' is the only allowed URL scheme${FORM}`));
  if (host === '') errors.push(invalid(field, host, `host must be specified${FORM}`));
  if (user !== undefined) errors.push(invalid(field, user, 'user information is not permitted in the URL'));
  if (fragment) errors.push(invalid(field, fragment, 'fragments are not permitted in the URL'));
  if (query) errors.push(invalid(field, query, 'query parameters are not permitted in the URL'));
  return errors;
}

/** Why a text is no URL at all. */
function wrongUrl(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'net/url: invalid control character in URL';
  if (text.startsWith(':')) return 'missing protocol scheme';
  const [path = ''] = text.split('?', 1);
  const wrongEscape = /%(?![\da-fA-F]{2}).{0,2}/.exec(path)?.[0];
  if (wrongEscape !== undefined) return `invalid URL escape ${JSON.stringify(wrongEscape)}`;
  const [, scheme, , host = ''] = URL_PARTS.exec(text) ?? [];
  if (scheme === undefined && !text.startsWith('/') && (path.split('/', 1)[0] ?? '').includes(':')) return 'first path segment in URL cannot contain colon';
  const port = /^(?:\[[^\]]*\]|[^:[\]]*)(:.*)$/.exec(host)?.[1];
  return port === undefined || /^:\d*$/.test(port) ? undefined : `invalid port ${JSON.stringify(port)} after host`;
}
