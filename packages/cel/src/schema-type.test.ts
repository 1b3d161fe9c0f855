import { lookupSchema, type TypeSchema } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { CelEnvironment } from './environment.js';
import { typeWarning } from './program.js';
import { declareType } from './schema-type.js';

function checking(kind: string, schema: TypeSchema) {
  const environment = new CelEnvironment([], (env) => {
    env.registerVariable('object', declareType(env, kind, schema, lookupSchema));
  });
  return (expression: string): string | undefined => typeWarning(environment, expression)?.split('\n')[0]?.replace('ERROR: <input>:', '');
}

const pods = checking('v1.Pod', { kind: 'ref', name: 'io.k8s.api.core.v1.Pod' });

describe('what fits the types of a schema', () => {
  it.each([
    'object.spec.containers.all(c, c.image.startsWith("a") && c.ports.exists(p, p.containerPort > 1024))',
    'object.spec.containers[0].env.map(e, e.name + "x").size() > 1',
    'object.metadata.labels.team == "x" && object.metadata.labels["a/b"] in ["y"]',
    'object.metadata.labels.all(key, value, key.size() + value.size() < 10)',
    'object.spec.containers.all(i, c, i < 3 && c.name != "")',
    'object.spec.containers.transformList(i, c, c.name)[0] == "a"',
    // A reserved word, as clients write it and as it is escaped.
    'object.metadata.namespace == "a" && object.metadata.__namespace__ == "a"',
    // Quantities may be numbers or texts.
    'object.spec.containers[0].resources.limits["cpu"] == "1"',
    'object.spec.?securityContext.?runAsUser.optMap(user, user > 0).orValue(false)',
  ])('%s', (expression) => expect(pods(expression)).toBeUndefined());
});

describe('what does not', () => {
  it.each([
    ['object.spec.containers.all(c, c.imagine == "")', "1:32: undefined field 'imagine'"],
    ['object.spec.containers[0].image > 1', "1:33: found no matching overload for '_>_' applied to '(string, int)'"],
    [
      'object.spec.containers.filter(c, c.ports.exists(p, p.containerPort == "http")).size() > 0',
      "1:68: found no matching overload for '_==_' applied to '(int, string)'",
    ],
    ['object.metadata.labels.team > 1', "1:29: found no matching overload for '_>_' applied to '(string, int)'"],
    ['object.metadata.labels + 1', "1:24: found no matching overload for '_+_' applied to '(map(string, string), int)'"],
    ['object.spec.containers + ["x"] + 1', expect.stringContaining("'_+_' applied to '(list(v1.Pod.spec.containers.@idx), list(string))'")],
    ['object.spec.containers.all(i, c, c.name > i)', "1:41: found no matching overload for '_>_' applied to '(string, int)'"],
    ['object.metadata.labels.exists(k, v, v == 1)', "1:39: found no matching overload for '_==_' applied to '(string, int)'"],
    ['object.spec.containers.exists(c, c.image)', "1:35: expected type 'bool' but found 'string'"],
    ['object.metadata.name.first == 1', "1:21: type 'string' does not support field selection"],
    ['object.metadata.generation && true', "1:28: expected type 'bool' but found 'int'"],
    ['object.metadata.name.all(x, true)', "1:16: expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)"],
    ['object.spec.containers[0].image.startsWith(1)', "1:43: found no matching overload for 'startsWith' applied to 'string.(int)'"],
  ])('%s', (expression, warning) => expect(pods(expression)).toEqual(warning));
});

it('says nothing below schemas that hold themselves', () => {
  const crds = checking('v1.CustomResourceDefinition', {
    kind: 'ref',
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  });
  expect(crds('object.spec.versions.all(v, v.schema.openAPIV3Schema.properties["a"].whatever == 1)')).toBeUndefined();
  expect(crds('object.spec.versions.all(v, v.schema.openAPIV3Schema.nope == 1)')).toContain("undefined field 'nope'");
});
