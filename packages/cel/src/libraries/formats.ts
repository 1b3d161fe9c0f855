import { names } from '@coxswain/api';
import { Optional } from '@marcbachmann/cel-js';
import type { Environment } from '@marcbachmann/cel-js';
import { matchesFormat } from '../formats.js';

class Format {
  constructor(
    readonly name: string,
    readonly check: (text: string) => string[],
  ) {}
}

const byFormat = (name: string, why: string) => (text: string) => (matchesFormat(text, name) ? [] : [why]);
const masked = (check: (text: string) => string[]) => (text: string) => check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

const FORMATS: Readonly<Record<string, (text: string) => string[]>> = {
  dns1123Label: names.isDNS1123Label,
  dns1123Subdomain: names.isDNS1123Subdomain,
  dns1035Label: names.isDNS1035Label,
  qualifiedName: names.isQualifiedName,
  dns1123LabelPrefix: masked(names.isDNS1123Label),
  dns1123SubdomainPrefix: masked(names.isDNS1123Subdomain),
  dns1035LabelPrefix: masked(names.isDNS1035Label),
  labelValue: names.isLabelValue,
  uri: byFormat('uri', 'invalid URI'),
  uuid: byFormat('uuid', 'does not match the UUID format'),
  byte: byFormat('byte', 'invalid base64'),
  date: byFormat('date', 'invalid date'),
  datetime: byFormat('date-time', 'invalid datetime'),
};

/** Kubernetes' named formats: `format.dns1123Label().validate(x)`, `format.named('uuid')`. */
export function registerFormats(env: Environment): void {
  class FormatNamespace {}
  env.registerType('kubernetes.NamedFormat', Format);
  env.registerType('FormatNamespace', FormatNamespace);
  env.registerConstant('format', 'FormatNamespace', new FormatNamespace());
  const formats = new Map(Object.entries(FORMATS).map(([name, check]) => [name, new Format(name, check)]));
  for (const [name, format] of formats) env.registerFunction(`FormatNamespace.${name}(): kubernetes.NamedFormat`, () => format);
  env.registerFunction('FormatNamespace.named(string): optional<kubernetes.NamedFormat>', (_: FormatNamespace, name: string) => {
    const found = formats.get(name);
    return found ? Optional.of(found) : Optional.none();
  });
  env.registerFunction('kubernetes.NamedFormat.validate(string): optional<list<string>>', (format: Format, text: string) => {
    const problems = format.check(text);
    return problems.length > 0 ? Optional.of(problems) : Optional.none();
  });
}
