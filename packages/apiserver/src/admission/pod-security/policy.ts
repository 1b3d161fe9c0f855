import type { FieldError } from '@coxswain/api';
import { baselineChecks } from './baseline.js';
import type { Check, PodView, Violation } from './check.js';
import { restrictedChecks } from './restricted.js';

export const MODES = ['enforce', 'audit', 'warn'] as const;
export type Mode = (typeof MODES)[number];
export type Level = 'privileged' | 'baseline' | 'restricted';

export interface LevelVersion {
  readonly level: Level;
  /** `latest` or `v1.N`. */
  readonly version: string;
}

export interface PodSecurityPolicy {
  readonly modes: Readonly<Record<Mode, LevelVersion>>;
  readonly errors: readonly FieldError[];
}

const PREFIX = 'pod-security.kubernetes.io/';
export const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted'] satisfies Level[];
const LATEST = Number.MAX_SAFE_INTEGER;

/** From a namespace's labels, over defaults. A wrong level counts as restricted where it is enforced, a wrong version as the latest. */
export function policyOf(labels: Readonly<Record<string, string>> = {}, defaults?: Readonly<Record<Mode, LevelVersion>>): PodSecurityPolicy {
  const errors: FieldError[] = [];
  const modeOf = (mode: Mode): LevelVersion => {
    const level = labels[PREFIX + mode];
    const { level: defaultLevel = 'privileged', version: defaultVersion = 'latest' } = defaults?.[mode] ?? {};
    const version = labels[`${PREFIX}${mode}-version`] ?? defaultVersion;
    const wrong = (label: string, value: string, must: string) =>
      errors.push({ type: 'FieldValueInvalid', field: `metadata.labels[${label}]`, message: `Invalid value: ${JSON.stringify(value)}: ${must}` });
    const known = level === undefined || LEVELS.includes(level);
    if (!known) wrong(PREFIX + mode, level, 'must be one of privileged, baseline, restricted');
    const fine = version === 'latest' || /^v1\.(0|[1-9]\d{0,2})$/.test(version);
    if (!fine) wrong(`${PREFIX}${mode}-version`, version, 'must be "latest" or "v1.x"');
    const fallback = mode === 'enforce' ? 'restricted' : 'privileged';
    return { level: level === undefined ? defaultLevel : known ? (level as Level) : fallback, version: fine ? version : 'latest' };
  };
  return { modes: { enforce: modeOf('enforce'), audit: modeOf('audit'), warn: modeOf('warn') }, errors };
}

export const textOf = ({ level, version }: LevelVersion): string => `${level}:${version}`;
export const strictness = (level: Level): number => LEVELS.indexOf(level);

/** Everything about the pod that the level forbids. */
export function evaluate(pod: PodView, { level, version }: LevelVersion): Violation[] {
  if (level === 'privileged') return [];
  const minor = version === 'latest' ? LATEST : Number(version.slice('v1.'.length));
  const inForce = ({ from, until = LATEST }: Check) => minor >= from && minor <= until;
  const restricted = level === 'restricted' ? restrictedChecks.filter(inForce) : [];
  const overridden = new Set(restricted.flatMap(({ overrides = [] }) => overrides));
  const checks = [...baselineChecks.filter((check) => inForce(check) && !overridden.has(check.id)), ...restricted];
  return checks.flatMap((check) => check.run(pod, minor) ?? []);
}

export const detailsOf = (violations: readonly Violation[]): string => violations.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');
export const reasonsOf = (violations: readonly Violation[]): string => violations.map(({ reason }) => reason).join(', ');
