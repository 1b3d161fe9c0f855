import { admissionPlugins } from '../admission/plugin-names.js';
import type { FlagReader, FlagTable } from './flag-reader.js';

/** Which admission plugins run, and how. */
export interface AdmissionConfig {
  readonly enableAdmissionPlugins: readonly string[];
  readonly disableAdmissionPlugins: readonly string[];
  readonly admissionControlConfigFile: string | undefined;
  readonly tolerationSeconds: { readonly notReady: number; readonly unreachable: number };
  readonly allowPrivileged: boolean;
}

export const admissionFlags: FlagTable = {
  'admission-control-config-file': 'AdmissionConfiguration file: settings of admission plugins',
  'allow-privileged': 'Pods may ask for privileged containers (default true)',
  'default-not-ready-toleration-seconds': 'How long pods stay on a node that is not ready (default 300)',
  'default-unreachable-toleration-seconds': 'How long pods stay on a node that is gone (default 300)',
  'disable-admission-plugins': 'Built-in admission plugins to leave out',
  'enable-admission-plugins': 'Built-in admission plugins to add to those that are there by default',
};

export function parseAdmissionFlags(reader: FlagReader): AdmissionConfig {
  const enable = reader.list('enable-admission-plugins');
  const disable = reader.list('disable-admission-plugins');
  for (const name of enable)
    if (admissionPlugins[name] === 'absent') reader.problem('enable-admission-plugins', `plugin ${JSON.stringify(name)} is not part of this API server`);
  for (const [flag, names] of [['enable-admission-plugins', enable] as const, ['disable-admission-plugins', disable] as const])
    for (const name of names) if (!admissionPlugins[name]) reader.problem(flag, `plugin ${JSON.stringify(name)} is unknown`);
  const both = enable.filter((name) => disable.includes(name));
  if (both.length > 0) reader.problem('enable-admission-plugins', `${both.join(', ')} in enable-admission-plugins and disable-admission-plugins overlapped`);
  return {
    enableAdmissionPlugins: enable,
    disableAdmissionPlugins: disable,
    admissionControlConfigFile: reader.text('admission-control-config-file'),
    tolerationSeconds: {
      notReady: reader.number('default-not-ready-toleration-seconds', 300, 0, Number.MAX_SAFE_INTEGER),
      unreachable: reader.number('default-unreachable-toleration-seconds', 300, 0, Number.MAX_SAFE_INTEGER),
    },
    allowPrivileged: reader.boolean('allow-privileged', true),
  };
}
