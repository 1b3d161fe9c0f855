import { KUBERNETES_VERSION } from './kubernetes-version.js';

/** What `/statusz` and `/flagz` tell of a component. */
export interface ZPages {
  /** By upstream's name. */
  readonly component: string;
  /** What its command line came to. Absent: it has none, and no `/flagz`. */
  readonly flags?: Readonly<Record<string, string>>;
}

export interface ZPageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const GROUP = 'config.k8s.io';
/** The newest first; older ones are answered with a warning. */
const VERSIONS = ['v1beta1', 'v1alpha1'] as const;
const TYPES = ['application/json', 'application/yaml', 'text/plain'] as const;
const NO_DEBUGGING = new Set(['/api', '/apis', '/openid', '/openapi', '/.well-known']);
const WARNING = 'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.';
const TEXT = 'text/plain; charset=utf-8';

type Page = 'statusz' | 'flagz';

/**
 * The answer to a request for a z-page: text for people, or by `Accept` an object of `config.k8s.io`. Undefined: not such a path.
 * `paths` are all the server has; the page shows their first parts.
 */
export function zPageAnswer({ component, flags }: ZPages, path: string, accept: string | undefined, paths: readonly string[]): ZPageAnswer | undefined {
  if (path === '/flagz' && !flags) return undefined;
  const page: Page | undefined = path === '/statusz' ? 'statusz' : path === '/flagz' ? 'flagz' : undefined;
  if (!page) return undefined;
  const kind = page === 'statusz' ? 'Statusz' : 'Flagz';
  const wanted = negotiate(accept, kind);
  if (!wanted) {
    const message = `only the following media types are accepted: ${TYPES.join(', ')}`;
    const refusal = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: 'NotAcceptable', code: 406 };
    return { status: 406, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(refusal)}\n` };
  }
  const content = page === 'statusz' ? statusOf(paths) : { flags: flags ?? {} };
  if (wanted.type === 'text/plain') {
    const lines = 'flags' in content ? flagLines(content.flags) : statusLines(content);
    return { status: 200, headers: { 'content-type': TEXT }, body: `\n${component} ${page}\n${WARNING}\n${lines}` };
  }
  const deprecated = wanted.version !== VERSIONS[0];
  const warning = { warning: `299 - "This version of the ${page} endpoint is deprecated. Please use a newer version."` };
  // Text of JSON is text of YAML.
  return {
    status: 200,
    headers: { 'content-type': wanted.type, ...(deprecated ? warning : {}) },
    body: `${JSON.stringify({ kind, apiVersion: `${GROUP}/${wanted.version}`, metadata: { name: component }, ...content })}\n`,
  };
}

/** The paths of a component's own server, sorted by their first parts; those of APIs are no help in debugging. */
function firstParts(paths: readonly string[]): string[] {
  const parts = paths.map((path) => `/${path.split('/')[1] ?? ''}`);
  return [...new Set(parts)].filter((part) => part !== '/' && !NO_DEBUGGING.has(part)).sort();
}

interface Status {
  readonly startTime: string;
  readonly uptimeSeconds: number;
  readonly goVersion: string;
  readonly binaryVersion: string;
  readonly emulationVersion: string;
  readonly paths: readonly string[];
}

function statusOf(paths: readonly string[]): Status {
  const binaryVersion = KUBERNETES_VERSION.replace(/^v/, '');
  return {
    startTime: new Date(performance.timeOrigin).toISOString().replace(/\.\d+Z$/, 'Z'),
    uptimeSeconds: Math.floor(process.uptime()),
    // As in /version: no Go has built this.
    goVersion: '',
    binaryVersion,
    emulationVersion: binaryVersion.split('.').slice(0, 2).join('.'),
    paths: firstParts(paths),
  };
}

function statusLines({ startTime, uptimeSeconds, goVersion, binaryVersion, emulationVersion, paths }: Status): string {
  const two = (n: number) => String(n % 60).padStart(2, '0');
  const [, day = '', date = '', month = '', year = '', time = ''] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(startTime).toUTCString()) ?? [];
  return [
    '',
    `Started: ${day} ${month} ${String(Number(date)).padStart(2)} ${time} UTC ${year}`,
    `Up: ${Math.floor(uptimeSeconds / 3600)} hr ${two(Math.floor(uptimeSeconds / 60))} min ${two(uptimeSeconds)} sec`,
    `Go version: ${goVersion}`,
    `Binary version: ${binaryVersion}`,
    `Emulation version: ${emulationVersion}`,
    `Paths: ${paths.join(' ')}`,
    '',
  ].join('\n');
}

function flagLines(flags: Readonly<Record<string, string>>): string {
  return Object.keys(flags)
    .sort()
    .map((name) => `${name}=${flags[name]}\n`)
    .join('');
}

interface Wanted {
  readonly type: (typeof TYPES)[number];
  readonly version: string;
}

/** The first clause that can be served, best first. Objects only by group, version and kind together; text only without. */
function negotiate(accept: string | undefined, kind: string): Wanted | undefined {
  if (!accept?.trim()) return { type: 'text/plain', version: '' };
  const clauses = accept.split(',').map((clause) => {
    const [range = '', ...parameters] = clause.split(';').map((part) => part.trim());
    return { range: range.toLowerCase(), given: new Map(parameters.map((each) => [each.replace(/=.*/s, '').toLowerCase(), each.replace(/^[^=]*=?/, '')])) };
  });
  const quality = (given: ReadonlyMap<string, string>) => Number(given.get('q') ?? 1);
  for (const { range, given } of clauses.filter((each) => quality(each.given) > 0).sort((a, b) => quality(b.given) - quality(a.given))) {
    for (const type of TYPES) {
      if (range !== type && range !== '*/*' && range !== `${type.split('/')[0]}/*`) continue;
      const version = given.get('v');
      if (type === 'text/plain') {
        if (!['as', 'g', 'v'].some((name) => given.has(name))) return { type, version: '' };
      } else if (given.get('as') === kind && given.get('g') === GROUP && VERSIONS.some((each) => each === version)) return { type, version: version ?? '' };
    }
  }
  return undefined;
}
