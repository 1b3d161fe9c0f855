import type { ResourceDefinition } from '@coxswain/api';
import { formatGroupVersion } from '@coxswain/apimachinery';

/** Without these a cluster cannot begin, as the API server makes objects of theirs when it starts. */
const NEEDED = new Set([
  'v1',
  'rbac.authorization.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'networking.k8s.io/v1',
  'discovery.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1',
  'apiregistration.k8s.io/v1',
]);
/** Groups of upstream's of which nothing is here. */
const ELSEWHERE = new Set(['internal.apiserver.k8s.io', 'storagemigration.k8s.io']);

/** Which versions a word stands for, from the weakest word to the strongest. */
const WORDS: readonly (readonly [word: string, stands: RegExp])[] = [
  ['api/all', /^v\d+((alpha|beta)\d+)?$/],
  ['api/ga', /^v\d+$/],
  ['api/beta', /^v\d+beta\d+$/],
  ['api/alpha', /^v\d+alpha\d+$/],
];

/**
 * `--runtime-config` over a table of definitions: which of them clients see. The stronger word wins: `apps/v1/deployments` over `apps/v1` over
 * `api/ga` over `api/all`. Throws with upstream's words what is not known, or cannot be turned on or off here.
 */
export function enabledDefinitions(
  config: ReadonlyMap<string, boolean>,
  definitions: readonly ResourceDefinition[],
): (definition: Pick<ResourceDefinition, 'group' | 'version' | 'resource'>) => boolean {
  const problems = [...config].flatMap(([key, on]) => problemOf(key, on, definitions) ?? []);
  const serves = ({ group, version, resource }: Pick<ResourceDefinition, 'group' | 'version' | 'resource'>): boolean => {
    const groupVersion = formatGroupVersion({ group, version });
    const words = WORDS.filter(([word, stands]) => stands.test(version) && config.has(word)).map(([word]) => word);
    const strongest = [`${groupVersion}/${resource}`, groupVersion].find((key) => config.has(key)) ?? words.at(-1);
    return strongest === undefined || (config.get(strongest) ?? true);
  };
  const missing = definitions.filter((definition) => NEEDED.has(formatGroupVersion(definition)) && !serves(definition));
  for (const groupVersion of new Set(missing.map(formatGroupVersion))) problems.push(`${groupVersion} cannot be turned off: the API server needs it itself`);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return serves;
}

function problemOf(key: string, on: boolean, definitions: readonly ResourceDefinition[]): string | undefined {
  if (WORDS.some(([word]) => word === key)) return undefined;
  if (key === 'api/legacy') return 'api/legacy is no longer supported: name the group versions';
  const parts = key === 'v1' || key.startsWith('v1/') ? ['', ...key.split('/')] : key.split('/');
  const [group = '', version = '', resource] = parts;
  if (version === '' || parts.length > 3) return `${JSON.stringify(key)} is not group/version`;
  const ofGroup = definitions.filter((definition) => definition.group === group);
  if (ofGroup.length === 0 && !ELSEWHERE.has(group)) return `unknown api groups ${group}`;
  const found = ofGroup.some((definition) => definition.version === version && (resource === undefined || definition.resource === resource));
  // What is not here is off anyway.
  return found || !on ? undefined : `${key} is not served here and cannot be turned on`;
}
