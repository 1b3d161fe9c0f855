import type { EnvFromSource, EnvVar, EnvVarSource } from '../../generated/types.js';
import { invalid, required } from '../errors.js';
import { isConfigMapKey, isDNS1123Label, isDNS1123Subdomain, isEnvVarName } from '../names.js';
import { addNoBacksteps } from '../paths.js';
import { addSyntax, addText, type Sink } from '../sink.js';
import { addFieldRef, addResourceFieldRef } from './downward-api.js';

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

export function addEnv(sink: Sink, field: string, env: readonly EnvVar[] | undefined): void {
  if (!env) return;
  for (const [index, { name, value, valueFrom }] of env.entries()) {
    const at = `${field}[${index}]`;
    addText(sink, `${at}.name`, name, isEnvVarName);
    if (valueFrom) addValueFrom(sink, `${at}.valueFrom`, valueFrom, value);
  }
}

function addValueFrom(sink: Sink, field: string, source: EnvVarSource, value: string | undefined): void {
  const { fieldRef, resourceFieldRef, fileKeyRef } = source;
  let count = 0;
  if (fieldRef) {
    count++;
    addFieldRef(sink, `${field}.fieldRef`, fieldRef, ENV_FIELDS);
  }
  if (resourceFieldRef) {
    count++;
    addResourceFieldRef(sink, `${field}.resourceFieldRef`, resourceFieldRef, false);
  }
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[kind];
    if (!reference) continue;
    count++;
    const { name = '', key } = reference;
    addSyntax(sink, `${field}.${kind}.name`, name, isDNS1123Subdomain(name));
    addText(sink, `${field}.${kind}.key`, key, isConfigMapKey);
  }
  if (fileKeyRef) {
    count++;
    addText(sink, `${field}.fileKeyRef.key`, fileKeyRef.key, isEnvVarName);
    addText(sink, `${field}.fileKeyRef.volumeName`, fileKeyRef.volumeName, isDNS1123Label);
    if (!fileKeyRef.path) sink.push(required(`${field}.fileKeyRef.path`));
    else addNoBacksteps(sink, `${field}.fileKeyRef.path`, fileKeyRef.path);
  }
  if (count === 0) sink.push(invalid(field, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'));
  else if (value) sink.push(invalid(field, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) sink.push(invalid(field, '', 'may not have more than one field specified at a time'));
}

/** What goes on in the name of a reference may be the beginning of a name, so that a dash at its end is fine. */
const isNameOrPrefix = (name: string): string[] => isDNS1123Subdomain(name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);

/** Upstream names the list, not the entry, where the number of sources is wrong. */
export function addEnvFrom(sink: Sink, field: string, sources: readonly EnvFromSource[] | undefined): void {
  if (!sources) return;
  for (const [index, { prefix, configMapRef, secretRef }] of sources.entries()) {
    const at = `${field}[${index}]`;
    if (prefix) addSyntax(sink, `${at}.prefix`, prefix, isEnvVarName(prefix));
    if (configMapRef) addText(sink, `${at}.configMapRef.name`, configMapRef.name, isNameOrPrefix);
    if (secretRef) addText(sink, `${at}.secretRef.name`, secretRef.name, isNameOrPrefix);
    if (!configMapRef && !secretRef) sink.push(invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (configMapRef && secretRef) sink.push(invalid(field, '', 'may not have more than one field specified at a time'));
  }
}
