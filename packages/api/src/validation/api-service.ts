import type { FieldError } from '../field-error.js';
import type { APIService } from '../generated/types.js';
import { each, optionalText, requiredText } from './common.js';
import { invalid, invalids, notSupported, required } from './errors.js';
import { isDNS1035Label, isDNS1123Subdomain, isPortNumber } from './names.js';

export function validateAPIService({ metadata, spec }: APIService): FieldError[] {
  const { group = '', version = '', service, caBundle, insecureSkipTLSVerify, groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {};
  const name = `${version}.${group}`;
  const errors: FieldError[] = [];
  if (metadata.name !== name) errors.push(invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`));
  if (group === '' && version !== 'v1') errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  errors.push(...optionalText(group, 'spec.group', isDNS1123Subdomain), ...invalids('spec.version', version, isDNS1035Label(version)));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000) {
    errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  }
  if (versionPriority <= 0 || versionPriority > 1000) errors.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  if (!service) {
    if (caBundle) errors.push(invalid('spec.caBundle', `${Buffer.byteLength(caBundle, 'base64')} bytes`, 'local APIServices may not have a caBundle'));
    if (insecureSkipTLSVerify) errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    return errors;
  }
  errors.push(...requiredText(service.namespace, 'spec.service.namespace'), ...requiredText(service.name, 'spec.service.name'));
  const port = service.port ?? 443;
  errors.push(...isPortNumber(port).map((detail) => invalid('spec.service.port', port, `port is not valid: ${detail}`)));
  if (insecureSkipTLSVerify && caBundle) errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  return errors;
}

const STATUSES = ['True', 'False', 'Unknown'];

export const validateAPIServiceStatus = ({ status }: APIService): FieldError[] =>
  each(status?.conditions, 'status.conditions', (condition, path) =>
    STATUSES.includes(condition.status) ? [] : [notSupported(`${path}.status`, condition.status, STATUSES)],
  );
