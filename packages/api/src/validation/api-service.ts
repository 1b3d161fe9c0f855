import type { FieldError } from '../field-error.js';
import type { APIService } from '../generated/types.js';
import { optionalText, requiredText } from './common.js';
import { invalid, invalids } from './errors.js';
import { isDNS1035Label, isDNS1123Subdomain, isPortNumber } from './names.js';

export function validateAPIService({ metadata, spec }: APIService): FieldError[] {
  const { group = '', version = '', service, caBundle, insecureSkipTLSVerify, groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {};
  const errors = [...optionalText(group, 'spec.group', isDNS1123Subdomain), ...requiredText(version, 'spec.version', isDNS1035Label)];
  const name = `${version}.${group}`;
  if (metadata.name !== name) errors.push(invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000) {
    errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  }
  if (versionPriority <= 0 || versionPriority > 1000) errors.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  if (!service) {
    if (caBundle) errors.push(invalid('spec.caBundle', '(hidden)', 'local APIServices may not have a caBundle'));
    if (insecureSkipTLSVerify) errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    return errors;
  }
  errors.push(...requiredText(service.namespace, 'spec.service.namespace'), ...requiredText(service.name, 'spec.service.name'));
  errors.push(...invalids('spec.service.port', service.port ?? 443, isPortNumber(service.port ?? 443)));
  if (insecureSkipTLSVerify && caBundle) errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  return errors;
}
