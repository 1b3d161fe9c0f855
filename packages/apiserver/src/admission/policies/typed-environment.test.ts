import { lookupSchema } from '@coxswain/api';
import { typeWarning } from '@coxswain/cel';
import { describe, expect, it } from 'vitest';
import { typedEnvironment, withVariables } from './typed-environment.js';

const named = (name: string, schema: string) => ({ name, schema: { kind: 'ref' as const, name: schema } });

const environment = withVariables(
  typedEnvironment({
    object: named('v1.Deployment', 'io.k8s.api.apps.v1.Deployment'),
    params: named('params.v1.ConfigMap', 'io.k8s.api.core.v1.ConfigMap'),
    lookup: lookupSchema,
  }),
  [
    { name: 'replicas', expression: 'object.spec.replicas' },
    { name: 'names', expression: 'object.spec.template.spec.containers.map(c, c.name)' },
    { name: 'twice', expression: 'variables.replicas * 2' },
    { name: 'spec', expression: 'object.spec' },
    { name: 'broken', expression: 'object.nope' },
  ],
);

describe('what fits the types of a policy', () => {
  it.each([
    'variables.replicas > 1 && variables.twice < 10 && "a" in variables.names',
    // Objects lose their type on the way through a variable, and what does not compile has none.
    'variables.spec.nope == 1 || variables.broken == "x"',
    'int(params.data.max) > variables.replicas && params.metadata.name != ""',
    'oldObject == null || null == object || namespaceObject == null || params != null || null != object.spec.selector',
    'request.operation == "CREATE" && has(request.subResource) && request.dryRun',
    'request.userInfo.extra["authentication.kubernetes.io/node-name"][0] == object.metadata.name',
    '"a" in request.userInfo.extra && request.userInfo.groups.exists(g, g.startsWith("system:"))',
    'request.?subResource.orValue("") == "" && request.kind.group == "" && request.options.fieldManager == "x"',
    'namespaceObject.metadata.?labels[?"team"].orValue("") == "a" && "x" in namespaceObject.metadata.labels',
    'authorizer.group("apps").resource("deployments").namespace(request.namespace).check("delete").allowed()',
  ])('%s', (expression) => expect(typeWarning(environment, expression)).toBeUndefined());
});

describe('what does not', () => {
  it.each([
    ['variables.replicas > "1"', "found no matching overload for '_>_' applied to '(int, string)'"],
    ['variables.names.all(n, n > 1)', "found no matching overload for '_>_' applied to '(string, int)'"],
    ['variables.twice == "a"', "found no matching overload for '_==_' applied to '(int, string)'"],
    ['variables.none', "undefined field 'none'"],
    ['params.data.max > 1', "found no matching overload for '_>_' applied to '(string, int)'"],
    ['params.spec', "undefined field 'spec'"],
    ['request.object', "undefined field 'object'"],
    ['request.userInfo.groups[0] == 1', "found no matching overload for '_==_' applied to '(string, int)'"],
    ['namespaceObject.metadata.ownerReferences', "undefined field 'ownerReferences'"],
  ])('%s', (expression, warning) => expect(typeWarning(environment, expression)).toContain(warning));
});

it('has no params without a kind of them', () => {
  const none = withVariables(typedEnvironment({ lookup: lookupSchema }), []);
  expect(typeWarning(none, 'params.data.max > 1')).toContain("undeclared reference to 'params'");
  expect(typeWarning(none, 'object.spec.whatever > 1 && oldObject.x == "a"')).toBeUndefined();
  expect(typeWarning(none, 'variables.x')).toContain("undefined field 'x'");
});
