import { type ApiRouteRequest, systemRandom } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { parseRoutes } from './parse-routes.js';
import { RuleRouter } from './rule-router.js';

const HEAD = 'apiVersion: apiserver.coxswain.dev/v1alpha1\nkind: ApiRoutesConfiguration\n';
const BACKENDS = 'backends:\n- {name: canary, url: "https://127.0.0.1:1"}\n- {name: blue, service: {namespace: apis, name: blue}}\n';
const router = (routes: string) => new RuleRouter(parseRoutes(`${HEAD}${BACKENDS}routes:\n${routes}`), systemRandom);
const ask = (over: Partial<ApiRouteRequest> = {}): ApiRouteRequest => ({
  user: { name: 'jane', groups: ['devs'] },
  verb: 'get',
  group: 'example.com',
  version: 'v1',
  resource: 'things',
  subresource: '',
  namespace: 'default',
  name: 'x',
  headers: {},
  ...over,
});
const namesOf = (rules: RuleRouter, request: ApiRouteRequest) => rules.route(request).map(({ name }) => name);

describe('routes by rules', () => {
  it.each([
    ['{}', ask(), true],
    ['{verbs: [get, list]}', ask(), true],
    ['{verbs: [create]}', ask(), false],
    ['{namespaces: [blue]}', ask(), false],
    ['{namespaces: [blue]}', ask({ namespace: 'blue' }), true],
    ['{groups: [""]}', ask({ group: '' }), true],
    ['{groups: [""]}', ask(), false],
    ['{resources: [things]}', ask(), true],
    ['{resources: [things]}', ask({ subresource: 'status' }), false],
    ['{resources: [things/status]}', ask({ subresource: 'status' }), true],
    ['{resources: ["things/*"]}', ask({ subresource: 'status' }), true],
    ['{resources: ["*"]}', ask({ subresource: 'status' }), true],
    ['{users: [jane]}', ask(), true],
    ['{users: [joe]}', ask(), false],
    ['{userGroups: [devs]}', ask(), true],
    ['{userGroups: [ops]}', ask(), false],
    ['{verbs: [get], namespaces: [default], userGroups: [devs]}', ask(), true],
    ['{verbs: [get], namespaces: [default], userGroups: [ops]}', ask(), false],
  ])('%s', (match, request, expected) => expect(namesOf(router(`- {name: a, backend: canary, match: ${match}}`), request)).toEqual(expected ? ['a'] : []));

  it('has the higher priority first, and of the same the earlier', () => {
    const rules = router('- {name: a, backend: canary}\n- {name: b, backend: blue, priority: 5}\n- {name: c, backend: canary, priority: 5}');
    expect(namesOf(rules, ask())).toEqual(['b', 'c', 'a']);
  });

  it('takes a share of users, each always the same way', () => {
    const rules = router('- {name: canary, backend: canary, percent: 10}');
    const users = Array.from({ length: 2000 }, (_, i) => `user-${i}`);
    const routed = (user: string) => namesOf(rules, ask({ user: { name: user, groups: [] } })).length === 1;
    const first = users.filter(routed);
    expect(first.length).toBeGreaterThan(140);
    expect(first.length).toBeLessThan(260);
    expect(users.filter(routed)).toEqual(first);
  });

  it('takes a share of requests by chance', () => {
    let n = 0;
    const rules = new RuleRouter(parseRoutes(`${HEAD}${BACKENDS}routes:\n- {name: a, backend: canary, percent: 25, stickiness: Request}`), {
      ...systemRandom,
      next: () => (n++ % 4) / 4,
    });
    expect(Array.from({ length: 8 }, () => namesOf(rules, ask()).length)).toEqual([1, 0, 0, 0, 1, 0, 0, 0]);
  });

  it('says everything that is wrong with a configuration', () => {
    const wrong = `${HEAD}backends:\n- {name: a, url: "http://x"}\n- {name: b}\nroutes:\n- {name: R, backend: c, percent: 101, match: {verbs: [look], users: []}, typo: 1}\n`;
    expect(() => parseRoutes(wrong)).toThrow(
      /backends\[0\]\.url.*backends\[1\]\.service: exactly one.*routes\[0\]\.name.*routes\[0\]\.backend: Not found: "c".*routes\[0\]\.percent.*users: may not be empty.*verbs: Unsupported value: "look".*typo: unknown field|routes/s,
    );
    expect(() => parseRoutes('kind: Other')).toThrow('not an ApiRoutesConfiguration of apiserver.coxswain.dev/v1alpha1');
  });
});
