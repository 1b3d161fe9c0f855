import { describe, expect, it, vi } from 'vitest';
import { startTestServer } from '../../testing/start-test-server.js';
import type { TestServer } from '../../testing/start-test-server.js';
import { expandObjects } from './expand-objects.js';
const soon = { timeout: 30_000 };
const GROUP = '/apis/admissionregistration.k8s.io/v1';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const matchConstraints = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }] };
const configMap = (name: string, data: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

async function put(api: TestServer, kind: 'Validating' | 'Mutating', spec: object, binding: object = {}): Promise<void> {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const base = `${GROUP}/${kind.toLowerCase()}admissionpolic`;
  const policy = await api.call('POST', `${base}ies`, {
    apiVersion,
    kind: `${kind}AdmissionPolicy`,
    metadata: { name: 'p' },
    spec: { matchConstraints, ...spec },
  });
  expect(policy.status, policy.text).toBe(201);
  const bound = await api.call('POST', `${base}ybindings`, {
    apiVersion,
    kind: `${kind}AdmissionPolicyBinding`,
    metadata: { name: 'b' },
    spec: { policyName: 'p', ...(kind === 'Validating' ? { validationActions: ['Deny'] } : {}), ...binding },
  });
  expect(bound.status, bound.text).toBe(201);
}

describe('validating admission policies', () => {
  it('are told where their expressions do not fit the types of what they match', async () => {
    await using api = await startTestServer();
    const deployments = { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }] };
    await put(api, 'Validating', {
      matchConstraints: deployments,
      validations: [
        { expression: "object.spec.replicas > '1'", messageExpression: "'got ' + object.spec.replicas" },
        { expression: 'object.spec.template.spec.nope == 1' },
        { expression: 'object.spec.template.spec.containers.all(c, c.imagine != "")' },
        { expression: 'object.metadata.labels.all(k, object.metadata.labels[k] != 1)' },
        { expression: 'object.spec.replicas > 1 && object.spec.template.spec.containers.all(c, c.image != "")' },
      ],
    });
    const path = `${GROUP}/validatingadmissionpolicies/p`;
    const policy = await vi.waitFor(async () => {
      const { json } = await api.call('GET', path);
      expect(json.status?.observedGeneration).toBe(1);
      return json;
    }, soon);
    const warnings = policy.status.typeChecking.expressionWarnings as { fieldRef: string; warning: string }[];
    expect(warnings.map((w) => [w.fieldRef, w.warning.split('\n')[0]])).toEqual([
      ['spec.validations[0].expression', "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'"],
      [
        'spec.validations[0].messageExpression',
        "apps/v1, Kind=Deployment: ERROR: <input>:1:8: found no matching overload for '_+_' applied to '(string, int)'",
      ],
      ['spec.validations[1].expression', "apps/v1, Kind=Deployment: ERROR: <input>:1:26: undefined field 'nope'"],
      ['spec.validations[2].expression', "apps/v1, Kind=Deployment: ERROR: <input>:1:46: undefined field 'imagine'"],
      ['spec.validations[3].expression', "apps/v1, Kind=Deployment: ERROR: <input>:1:57: found no matching overload for '_!=_' applied to '(string, int)'"],
    ]);
    await api.call('PATCH', path, { spec: { validations: [{ expression: 'object.spec.replicas > 1' }] } }, { type: 'application/merge-patch+json' });
    await vi.waitFor(async () => expect((await api.call('GET', path)).json.status).toEqual({ observedGeneration: 2, typeChecking: {} }), soon);
  });

  it('are told where parameters and variables do not fit', async () => {
    await using api = await startTestServer();
    const resourceRules = [{ apiGroups: ['', 'apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/*', 'deployments', 'configmaps'] }];
    await put(api, 'Validating', {
      matchConstraints: { resourceRules },
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      variables: [
        { name: 'name', expression: 'object.metadata.name' },
        { name: 'replicas', expression: 'object.spec.replicas' },
      ],
      validations: [
        { expression: 'params.data.max > 1' },
        { expression: 'variables.name > 1' },
        // Deployments have them; of a config map's nothing can be said.
        { expression: 'variables.replicas == "1"' },
      ],
    });
    const warnings = await vi.waitFor(async () => {
      const { json } = await api.call('GET', `${GROUP}/validatingadmissionpolicies/p`);
      expect(json.status?.observedGeneration).toBe(1);
      return json.status.typeChecking.expressionWarnings as { fieldRef: string; warning: string }[];
    }, soon);
    const shown = warnings.map(({ fieldRef, warning }) => [fieldRef, warning.split('\n').filter((line) => line.includes('Kind='))]);
    const overload = (types: string, operator = '>') => expect.stringContaining(`'_${operator}_' applied to '${types}'`);
    expect(shown).toEqual([
      ['spec.validations[0].expression', [overload('(string, int)'), overload('(string, int)')]],
      ['spec.validations[1].expression', [overload('(string, int)'), overload('(string, int)')]],
      ['spec.validations[2].expression', [overload('(int, string)', '==')]],
    ]);
    const lines = (shown[0] as [string, string[]])[1];
    expect(lines.map((line) => line.split(':')[0])).toEqual(['v1, Kind=ConfigMap', 'apps/v1, Kind=Deployment']);
  });

  it('compile with what upstream knows of each variable', async () => {
    await using api = await startTestServer();
    const cases: readonly (readonly [spec: object, field: string, message: string])[] = [
      [{ validations: [{ expression: 'variables.none == 1' }] }, 'spec.validations[0].expression', "undeclared reference to 'variables'"],
      [
        { variables: [{ name: 'a', expression: '1' }], validations: [{ expression: 'variables.none == 1' }] },
        'spec.validations[0].expression',
        "undefined field 'none'",
      ],
      [
        {
          variables: [
            { name: 'a', expression: 'variables.b' },
            { name: 'b', expression: '1' },
          ],
          validations: [{ expression: 'true' }],
        },
        'spec.variables[0].expression',
        "undefined field 'b'",
      ],
      [{ validations: [{ expression: 'params.data.x == "1"' }] }, 'spec.validations[0].expression', "undeclared reference to 'params'"],
      [{ validations: [{ expression: 'request.nothing == "1"' }] }, 'spec.validations[0].expression', "undefined field 'nothing'"],
      [{ validations: [{ expression: '1 + 1' }] }, 'spec.validations[0].expression', 'must evaluate to bool but got int'],
      [{ validations: [{ expression: 'true', messageExpression: '1' }] }, 'spec.validations[0].messageExpression', 'must evaluate to string but got int'],
      [
        { validations: [{ expression: 'true', messageExpression: 'string(authorizer.path("/").check("get").allowed())' }] },
        'spec.validations[0].messageExpression',
        "undeclared reference to 'authorizer'",
      ],
      [
        { auditAnnotations: [{ key: 'k', valueExpression: '1' }] },
        'spec.auditAnnotations[0].valueExpression',
        'must evaluate to one of [string null_type] but got int',
      ],
      [
        {
          variables: [{ name: 'a', expression: '1' }],
          matchConditions: [{ name: 'm', expression: 'variables.a == 1' }],
          validations: [{ expression: 'true' }],
        },
        'spec.matchConditions[0].expression',
        "undeclared reference to 'variables'",
      ],
    ];
    for (const [spec, field, message] of cases) {
      const { status, json } = await api.call('POST', `${GROUP}/validatingadmissionpolicies?dryRun=All`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'p' },
        spec: { matchConstraints, ...spec },
      });
      expect([status, json.details?.causes?.map((cause: { field: string }) => cause.field)], json.message).toEqual([422, [field]]);
      expect(json.message).toContain(message);
    }
  });

  it('denies with message, reason and code', async () => {
    await using api = await startTestServer();
    await put(api, 'Validating', {
      variables: [{ name: 'limit', expression: '2' }],
      validations: [
        { expression: 'size(object.data) <= variables.limit', messageExpression: "'at most ' + string(variables.limit) + ' keys'", reason: 'Forbidden' },
      ],
    });
    expect((await api.call('POST', CONFIG_MAPS, configMap('a', { x: '1' }))).status).toBe(201);
    const { status, json } = await api.call('POST', CONFIG_MAPS, configMap('b', { x: '1', y: '2', z: '3' }));
    expect(status).toBe(403);
    expect(json.reason).toBe('Forbidden');
    expect(json.message).toBe(`configmaps "b" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: at most 2 keys`);
  });

  it('takes parameters, conditions, the namespace and the authorizer into account', async () => {
    await using api = await startTestServer();
    await api.call('POST', CONFIG_MAPS, configMap('limits', { max: '3' }));
    await put(
      api,
      'Validating',
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        matchConditions: [{ name: 'not-the-parameters', expression: "object.metadata.name != 'limits'" }],
        validations: [
          { expression: 'size(object.data) <= int(params.data.max)', message: 'too many keys' },
          {
            expression:
              "namespaceObject.metadata.name == 'default' && authorizer.group('').resource('pods').namespace('default').check('create').allowed() && authorizer.requestResource.check('create').allowed()",
          },
        ],
      },
      { paramRef: { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' } },
    );
    expect((await api.call('POST', CONFIG_MAPS, configMap('a', { x: '1' }))).status).toBe(201);
    const { status, json } = await api.call('POST', CONFIG_MAPS, configMap('b', { a: '', b: '', c: '', d: '' }));
    expect(status).toBe(422);
    expect(json.message).toContain('too many keys');
    await api.call('DELETE', `${CONFIG_MAPS}/limits`);
    const without = await api.call('POST', CONFIG_MAPS, configMap('c'));
    expect(without.json.message).toContain('no params found for policy binding with `Deny` parameterNotFoundAction');
  });

  it('warns when it is only to warn', async () => {
    await using api = await startTestServer();
    await put(api, 'Validating', { validations: [{ expression: 'has(object.data.x)' }] }, { validationActions: ['Warn', 'Audit'] });
    const { status, headers } = await api.call('POST', CONFIG_MAPS, configMap('a', { y: '1' }));
    expect(status).toBe(201);
    expect(String(headers.warning)).toContain(`Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': failed expression: has(object.data.x)`);
  });

  it('must be expressions that compile', async () => {
    await using api = await startTestServer();
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'p' },
      spec: { matchConstraints, validations: [{ expression: 'nothing.here' }] },
    };
    const { status, json } = await api.call('POST', `${GROUP}/validatingadmissionpolicies`, body);
    expect(status).toBe(422);
    expect(json.message).toContain(
      'spec.validations[0].expression: Invalid value: "nothing.here": compilation failed: ERROR: <input>:1:1: undeclared reference to \'nothing\'',
    );
  });

  it('must be so after an update too, but for what was there', async () => {
    await using api = await startTestServer();
    const path = `${GROUP}/validatingadmissionpolicies`;
    const spec = (...expressions: string[]) => ({ matchConstraints, validations: expressions.map((expression) => ({ expression })) });
    await api.call('POST', path, { metadata: { name: 'p' }, spec: spec('true') });
    const put = async (next: object) => (await api.call('PATCH', `${path}/p`, { spec: next }, { type: 'application/merge-patch+json' })).json;
    expect((await put(spec('true', 'nothing.here'))).message).toContain('spec.validations[1].expression: Invalid value: "nothing.here": compilation failed');
    expect((await put(spec('true', '1'))).message).toContain('spec.validations[1].expression: Invalid value: "1": must evaluate to bool but got int');
    expect((await put(spec('false'))).spec.validations).toMatchObject([{ expression: 'false' }]);
  });

  it('mutate by objects and by patches', async () => {
    await using api = await startTestServer();
    const create = async (patchType: string, expression: string, more: object = {}) => {
      const mutations = [{ patchType, [patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration']: { expression } }];
      const body = { metadata: { name: 'p' }, spec: { matchConstraints, reinvocationPolicy: 'Never', mutations, ...more } };
      const answer = await api.call('POST', `${GROUP}/mutatingadmissionpolicies?dryRun=All`, body);
      return answer.status === 201 ? 'taken' : (answer.json.message.split('\n')[0] as string).replace(/^.* is invalid: /, '');
    };
    const patch = 'spec.mutations[0].jsonPatch.expression: Invalid value: ';
    const object = 'spec.mutations[0].applyConfiguration.expression: Invalid value: ';
    expect(await create('JSONPatch', '1')).toBe(`${patch}"1": must evaluate to list(JSONPatch) but got int`);
    expect(await create('JSONPatch', "['a']")).toBe(`${patch}"['a']": must evaluate to list(JSONPatch) but got list(string)`);
    expect(await create('ApplyConfiguration', "'x'")).toBe(`${object}"'x'": must evaluate to Object but got string`);
    expect(await create('ApplyConfiguration', 'Object{a: 1')).toContain(`${object}"Object{a: 1": compilation failed`);
    for (const expression of ['[]', "[JSONPatch{op: 'remove', path: '/data/x'}]", "has(object.data) ? [JSONPatch{op: 'remove', path: '/data'}] : []"])
      expect(await create('JSONPatch', expression), expression).toBe('taken');
    for (const expression of ["Object{metadata: Object.metadata{labels: {'a': 'b'}}}", 'has(object.data) ? Object{} : Object{data: {"x": "y"}}'])
      expect(await create('ApplyConfiguration', expression), expression).toBe('taken');
    const variables = [{ name: 'patches', expression: "[JSONPatch{op: 'remove', path: '/data/x'}]" }];
    expect(await create('JSONPatch', 'variables.patches', { variables })).toBe('taken');
  });

  it('names variables that come before, and parameters it has', async () => {
    await using api = await startTestServer();
    const create = async (spec: object) => {
      const metadata = { name: 'p' };
      const answer = await api.call('POST', `${GROUP}/validatingadmissionpolicies?dryRun=All`, { metadata, spec: { matchConstraints, ...spec } });
      return answer.status === 201 ? 'taken' : (answer.json.message.split('\n')[0] as string).replace(/^.* is invalid: /, '');
    };
    const validations = [{ expression: 'variables.a > 1', messageExpression: "string(variables.b) + 'x'" }];
    const variables = [
      { name: 'a', expression: 'object.data.size()' },
      { name: 'b', expression: 'variables.a + 1' },
    ];
    expect(await create({ validations, variables })).toBe('taken');
    expect(await create({ validations, variables: [...variables].reverse() })).toContain(
      'spec.variables[0].expression: Invalid value: "variables.a + 1": compilation failed: ERROR: <input>:1:10: undefined field \'a\'',
    );
    expect(await create({ validations: [{ expression: 'variables.z == 1' }], variables })).toContain("undefined field 'z'");
    const asks = [{ expression: 'params == null || params.data.size() > 1' }];
    expect(await create({ validations: asks })).toContain("undeclared reference to 'params' (in container '')");
    expect(await create({ validations: asks, paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } })).toBe('taken');
  });

  it('follows its failure policy when an expression fails', async () => {
    await using api = await startTestServer();
    await put(api, 'Validating', { validations: [{ expression: "object.data.x == '1'" }] });
    const { status, json } = await api.call('POST', CONFIG_MAPS, configMap('a', { y: '1' }));
    expect(status).toBe(422);
    expect(json.message).toContain(`expression 'object.data.x == '1'' resulted in error: no such key: x`);
  });
});

describe('mutating admission policies', () => {
  it('applies configurations and patches', async () => {
    await using api = await startTestServer();
    await put(api, 'Mutating', {
      reinvocationPolicy: 'Never',
      mutations: [
        { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"team": "x"}}}' } },
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: '[JSONPatch{op: "add", path: "/data/" + jsonpatch.escapeKey("b"), value: object.metadata.labels.team}]' },
        },
      ],
    });
    const { status, json, text } = await api.call('POST', CONFIG_MAPS, configMap('a', { a: '1' }));
    expect(status, text).toBe(201);
    expect(json.metadata.labels).toEqual({ team: 'x' });
    expect(json.data).toEqual({ a: '1', b: 'x' });
    const generated = await api.call('POST', CONFIG_MAPS, { ...configMap('', { a: '1' }), metadata: { generateName: 'made-' } });
    expect(generated.status, generated.text).toBe(201);
    expect(generated.json.metadata).toMatchObject({ name: expect.stringMatching(/^made-.{5}$/), labels: { team: 'x' } });
  });

  it('writes objects as maps', () => {
    expect(expandObjects('Object{spec: Object.spec{a: x ? {"b": 1} : {}, c: [Object.spec.c{d: "Object{e: 1}"}]}}')).toBe(
      '{"spec": {"a": x ? {"b": 1} : {}, "c": [{"d": "Object{e: 1}"}]}}',
    );
  });
});
