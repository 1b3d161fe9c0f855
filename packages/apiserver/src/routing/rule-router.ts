import { createHash } from 'node:crypto';
import type { ApiRoute, ApiRouter, ApiRouteRequest, Random } from '@coxswain/sdk';

/** Values, or `*`; absent: everything. */
export interface RouteMatch {
  readonly verbs?: readonly string[];
  readonly groups?: readonly string[];
  readonly versions?: readonly string[];
  /** `things`, `things/status`, `*`, `things/*`. A plain name stands for the resource without its subresources. */
  readonly resources?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
}

export interface RouteRule {
  readonly route: ApiRoute;
  readonly match: RouteMatch;
  /** Higher ones first; of the same, in the order given. */
  readonly priority: number;
  /** 0 to 100: how much of what matches goes this way. */
  readonly percent: number;
  /** What is decided together: with `User` a user is always on the same side, with `Request` each request is by chance. */
  readonly stickiness: 'User' | 'Request';
}

/** Routes by rules: what matches, and its share of traffic. */
export class RuleRouter implements ApiRouter {
  readonly name = 'rules';
  readonly precedence = 1000;
  readonly #rules: readonly RouteRule[];

  constructor(
    rules: readonly RouteRule[],
    readonly random: Random,
  ) {
    this.#rules = rules
      .map((rule, i) => ({ rule, i }))
      .sort((a, b) => b.rule.priority - a.rule.priority || a.i - b.i)
      .map(({ rule }) => rule);
  }

  route(request: ApiRouteRequest): readonly ApiRoute[] {
    const routes: ApiRoute[] = [];
    for (const rule of this.#rules) if (matches(rule.match, request) && this.#isInShare(rule, request)) routes.push(rule.route);
    return routes;
  }

  #isInShare({ percent, stickiness, route }: RouteRule, { user }: ApiRouteRequest): boolean {
    if (percent >= 100) return true;
    if (percent <= 0) return false;
    return (stickiness === 'User' ? bucketOf(route.name, user.name) : this.random.next() * 100) < percent;
  }
}

/** 0 up to 100, the same for a user always; another for each route, so that not everybody is first everywhere. */
function bucketOf(route: string, user: string): number {
  return (createHash('sha256').update(`${route}\0${user}`).digest().readUInt32BE(0) / 2 ** 32) * 100;
}

function matches(match: RouteMatch, { user, verb, group, version, resource, subresource, namespace }: ApiRouteRequest): boolean {
  return (
    has(match.verbs, verb) &&
    has(match.groups, group) &&
    has(match.versions, version) &&
    hasResource(match.resources, resource, subresource) &&
    has(match.namespaces, namespace) &&
    has(match.users, user.name) &&
    (match.userGroups === undefined || user.groups.some((each) => has(match.userGroups, each)))
  );
}

const has = (wanted: readonly string[] | undefined, value: string): boolean => wanted === undefined || wanted.includes('*') || wanted.includes(value);

function hasResource(wanted: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (wanted === undefined) return true;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return wanted.some((each) => each === full || each === '*' || (each.endsWith('/*') && (each === '*/*' || each.slice(0, -2) === resource)));
}
