import type { FieldError } from '../field-error.js';
import { requiredText } from './common.js';
import { invalid, invalids, required } from './errors.js';
import { isDNS1035Label, isDNS1123Label, isPortNumber } from './names.js';

/** Where a webhook of any kind is called. */
export interface WebhookClient {
  readonly url?: string;
  readonly service?: { readonly name?: string; readonly namespace?: string; readonly path?: string; readonly port?: number };
}

export function validateWebhookClient(client: WebhookClient | undefined, field: string): FieldError[] {
  const { url, service } = client ?? {};
  if ((url === undefined) === (service === undefined)) return [required(field, 'exactly one of url or service is required')];
  if (url !== undefined) return validateUrl(url, `${field}.url`);
  const errors = [
    ...requiredText(service?.name, `${field}.service.name`, isDNS1035Label),
    ...requiredText(service?.namespace, `${field}.service.namespace`, isDNS1123Label),
  ];
  const port = service?.port ?? 443;
  errors.push(...invalids(`${field}.service.port`, port, isPortNumber(port)));
  const path = service?.path;
  if (path !== undefined && path !== '' && (!path.startsWith('/') || (path.length > 1 && path.includes('//')))) {
    errors.push(invalid(`${field}.service.path`, path, "must start with a '/' and have no empty segments"));
  }
  return errors;
}

function validateUrl(text: string, field: string): FieldError[] {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return [required(field, `url must be a valid URL: ${JSON.stringify(text)}; desired format: https://host[/path]`)];
  }
  const form = 'desired format: https://host[/path]';
  const errors: FieldError[] = [];
  if (url.protocol !== 'https:') errors.push(invalid(field, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme; ${form}`));
  if (url.host === '') errors.push(invalid(field, url.host, `host must be specified; ${form}`));
  if (url.username !== '' || url.password !== '') errors.push(invalid(field, url.username, 'user information is not permitted in the URL'));
  if (url.hash !== '') errors.push(invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '') errors.push(invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'));
  return errors;
}
