/** Syntax checks of names and values. Each returns what is wrong, in upstream's words; an empty list means fine. */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;
const PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);
const labelRegExp = whole(LABEL);
const subdomainRegExp = whole(SUBDOMAIN);
const wildcardRegExp = whole(`\\*\\.${SUBDOMAIN}`);
const label1035RegExp = whole(LABEL_1035);
const qualifiedRegExp = whole(QUALIFIED);
const labelValueRegExp = whole(LABEL_VALUE);
const pathRegExp = whole(PATH);

export type SyntaxCheck = (value: string) => string[];

/** `rule (e.g. 'a',  or 'b', regex used for validation is '…')`. */
export function regexError(rule: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${rule} (regex used for validation is '${pattern}')`;
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${rule} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

export const maxLengthError = (length: number): string => `must be no more than ${length} characters`;

export const rangeError = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

const lengthOf = (value: string): number => Buffer.byteLength(value);

export const isDNS1123Label: SyntaxCheck = (value) => {
  const errors = value.length > 63 ? [maxLengthError(63)] : [];
  if (labelRegExp.test(value)) return errors;
  if (subdomainRegExp.test(value)) return [...errors, 'must not contain dots'];
  const rule = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...errors, regexError(rule, LABEL, 'my-name', '123-abc')];
};

export const isDNS1123Subdomain: SyntaxCheck = (value) => {
  const errors = value.length > 253 ? [maxLengthError(253)] : [];
  return subdomainRegExp.test(value) ? errors : [...errors, regexError(SUBDOMAIN_RULE, SUBDOMAIN, 'example.com')];
};

const UNDERSCORE_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoreRegExp = whole(`${UNDERSCORE_LABEL}(\\.${UNDERSCORE_LABEL})*`);

/** As search paths of resolvers may be; the pattern that is shown is upstream's, which is that of names without underscores. */
export const isDNS1123SubdomainWithUnderscore: SyntaxCheck = (value) => {
  const errors = value.length > 253 ? [maxLengthError(253)] : [];
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return underscoreRegExp.test(value) ? errors : [...errors, regexError(rule, SUBDOMAIN, 'example.com')];
};

/** With or without the dot of the root. */
export const isFullyQualifiedDomainName: SyntaxCheck = (value) => {
  const name = value.replace(/\.$/, '');
  const wrong = isDNS1123Subdomain(name);
  if (wrong.length > 0) return wrong;
  const labels = name.split('.');
  return labels.length < 2 ? ['should be a domain with at least two segments separated by dots'] : labels.flatMap(isDNS1123Label);
};

export const isWildcardDNS1123Subdomain: SyntaxCheck = (value) => {
  const errors = value.length > 253 ? [maxLengthError(253)] : [];
  if (wildcardRegExp.test(value)) return errors;
  const rule =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...errors, regexError(rule, `\\*\\.${SUBDOMAIN}`, '*.example.com')];
};

export const isDNS1035Label: SyntaxCheck = (value) => {
  const errors = value.length > 63 ? [maxLengthError(63)] : [];
  if (label1035RegExp.test(value)) return errors;
  const rule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...errors, regexError(rule, LABEL_1035, 'my-name', 'abc-123')];
};

/** `[prefix/]name`: label keys, finalizers, resource names. */
export const isQualifiedName: SyntaxCheck = (value) => {
  const errors: string[] = [];
  const parts = value.split('/');
  let name = value;
  if (parts.length === 2) {
    const [prefix = '', rest = ''] = parts;
    name = rest;
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...isDNS1123Subdomain(prefix).map((message) => `prefix part ${message}`));
  } else if (parts.length > 2) {
    return [
      `a valid label key ${regexError(QUALIFIED_RULE, QUALIFIED, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push(`name part ${maxLengthError(63)}`);
  if (!qualifiedRegExp.test(name)) {
    errors.push(`name part ${regexError(QUALIFIED_RULE, QUALIFIED, 'MyName', 'my.name', '123-abc')}`);
  }
  return errors;
};

const QUALIFIED_RULE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

export const isLabelValue: SyntaxCheck = (value) => {
  const errors = value.length > 63 ? [maxLengthError(63)] : [];
  if (labelValueRegExp.test(value)) return errors;
  const rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...errors, regexError(rule, LABEL_VALUE, 'MyValue', 'my_value', '12345')];
};

export const isEnvVarName: SyntaxCheck = (value) => {
  if (value === '') return ['environment variable name must be non-empty'];
  return /^[\x20-\x3c\x3e-\x7e]*$/.test(value) ? [] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
};

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;

export const isConfigMapKey: SyntaxCheck = (value) => {
  if (value.length <= 253 && CONFIG_KEY.test(value) && !value.startsWith('.')) return [];
  const errors = value.length > 253 ? [maxLengthError(253)] : [];
  if (!CONFIG_KEY.test(value)) {
    const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    errors.push(regexError(rule, '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name'));
  }
  return [...errors, ...directoryPrefix(value)];
};

function directoryPrefix(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

export const isPortName: SyntaxCheck = (value) => {
  const errors: string[] = [];
  if (value.length > 15) errors.push(maxLengthError(15));
  if (!/^[-a-z0-9]+$/.test(value)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errors.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) errors.push('must not begin or end with a hyphen');
  return errors;
};

export const isPortNumber = (port: number): string[] => (port >= 1 && port <= 65535 ? [] : [rangeError(1, 65535)]);

export const isHTTPHeaderName: SyntaxCheck = (value) =>
  /^[-A-Za-z0-9]+$/.test(value) ? [] : [regexError("a valid HTTP header must consist of alphanumeric characters or '-'", '[-A-Za-z0-9]+', 'X-Header-Name')];

export const isPercent: SyntaxCheck = (value) =>
  /^[0-9]+%$/.test(value) ? [] : [regexError("a valid percent string must be a numeric string followed by an ending '%'", '[0-9]+%', '1%', '93%')];

/** `host/path` such as `acme.io/foo`. */
export const isDomainPrefixedPath: SyntaxCheck = (value) => {
  const slash = value.indexOf('/');
  if (slash <= 0 || slash === value.length - 1) return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  const errors = isDNS1123Subdomain(value.slice(0, slash));
  return pathRegExp.test(value.slice(slash + 1)) ? errors : [...errors, regexError('Invalid path', PATH)];
};

/** What may be a segment of a URL path: RBAC names. */
export const isPathSegment = (name: string, prefix: boolean): string[] => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter((text) => name.includes(text)).map((text) => `may not contain '${text}'`);
};

/** A name check as metadata uses it: with `prefix` the name will get a suffix, so a trailing dash is fine. */
export type NameCheck = (name: string, prefix: boolean) => string[];

const masked =
  (check: SyntaxCheck): NameCheck =>
  (name, prefix) =>
    check(prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);

export const nameIsDNSSubdomain = masked(isDNS1123Subdomain);
export const nameIsDNSLabel = masked(isDNS1123Label);
export const nameIsDNS1035Label = masked(isDNS1035Label);
export const nameIsPathSegment: NameCheck = isPathSegment;

export const byteLength = lengthOf;
