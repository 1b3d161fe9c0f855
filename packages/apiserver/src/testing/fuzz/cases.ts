import type { Dice } from './dice.js';
import { damaged, distorted, oddValue } from './odd-values.js';
import type { RawAnswer, RawRequest } from './request.js';
import { type Sample, samples } from './samples.js';

export interface FuzzCase {
  readonly family: string;
  readonly request: RawRequest;
  /** Answers from 500 up that upstream gives for this, too. */
  readonly upstreamToo?: (answer: RawAnswer) => boolean;
}

const NAMESPACE = 'fuzz';
const JSON_TYPE = ['Content-Type', 'application/json'] as const;
const PATCHES = [
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/json-patch+json',
  'application/apply-patch+yaml',
] as const;
const ODD_QUERIES = [
  'limit=-1',
  'limit=99999999999999999999',
  'continue=%00',
  'continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiLi4vLi4ifQ',
  'resourceVersion=abc',
  'resourceVersion=-5',
  'resourceVersion=18446744073709551616',
  'resourceVersionMatch=Never&resourceVersion=1',
  'labelSelector=a%20in%20(',
  'labelSelector=%21%21%21',
  `labelSelector=${'a%3Db%2C'.repeat(2000)}a`,
  'fieldSelector=metadata.name%3D%3D%3D',
  'fieldSelector=spec.nothing%3Dx',
  'watch=maybe',
  'timeoutSeconds=-1',
  'sendInitialEvents=true',
  'dryRun=Some',
  'fieldManager=%00',
  'fieldValidation=Perhaps',
  'pretty=%ff',
  'a=b&a=c&=&&',
  '%',
  '%zz=%gg',
  `x=${'y'.repeat(10_000)}`,
] as const;
const ODD_PATHS = [
  '/',
  '//',
  '/api//v1',
  '/api/v1/../v1/pods',
  '/api/v1/namespaces/../../secrets',
  '/api/v1/namespaces/%2e%2e/configmaps',
  '/api/v1/namespaces/fuzz/configmaps/%2F',
  '/api/v1/namespaces/fuzz/configmaps/%00',
  '/api/v1/namespaces/fuzz/configmaps/..%2f..%2f',
  '/api/v1/namespaces//configmaps',
  '/api/v1/namespaces/fuzz/configmaps/a/b/c/d/e',
  '/apis/apps/v1/namespaces/fuzz/deployments/x/scale/y',
  '/apis/%F0%9F%92%A5/v1',
  '/api/v1/__proto__',
  '/apis/constructor/v1/toString',
  `/api/v1/namespaces/${'n'.repeat(5000)}/pods`,
  '/openapi/v3/../../x',
  '/healthz/../metrics',
  '*',
  'http://other.example/api/v1',
  '/api/v1/pods?',
  '/%',
] as const;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'CONNECT', 'PROPFIND', 'get', 'X'] as const;

type Maker = (dice: Dice) => Omit<FuzzCase, 'family'>;

function sample(dice: Dice): Sample & { readonly name: string } {
  const name = `f${dice.int(40)}`;
  return { ...dice.pick(samples(NAMESPACE, name)), name };
}

/** A create, an update or a patch of what is there or not. */
function write(dice: Dice, body: Buffer, at: Sample & { readonly name: string }, type = 'application/json', query = ''): RawRequest {
  const object = `${at.path}/${(at.object['metadata'] as { name?: string } | undefined)?.name ?? at.name}`;
  const headers = [['Content-Type', type]] as const;
  if (type !== 'application/json' && type !== 'application/yaml') return { method: 'PATCH', path: object + query, headers, body };
  return dice.chance(0.7) ? { method: 'POST', path: at.path + query, headers, body } : { method: 'PUT', path: object + query, headers, body };
}

const pile = (depth: number, open: string, close: string, inner = '1') => Buffer.from(open.repeat(depth) + inner + close.repeat(depth));

const families: Readonly<Record<string, Maker>> = {
  'distorted object': (dice) => {
    const at = sample(dice);
    return {
      request: write(
        dice,
        Buffer.from(JSON.stringify(distorted(at.object, dice))),
        at,
        'application/json',
        dice.pick(['', '?fieldValidation=Strict', '?fieldValidation=Warn', '?dryRun=All']),
      ),
    };
  },
  'damaged JSON': (dice) => {
    const at = sample(dice);
    return { request: write(dice, damaged(JSON.stringify(at.object), dice), at) };
  },
  'damaged protobuf': (dice) => {
    const at = sample(dice);
    const body = Buffer.concat([Buffer.from('k8s\0', 'latin1'), dice.bytes(dice.int(400))]);
    return {
      request: write(dice, body, at, 'application/json') && {
        method: 'POST',
        path: at.path,
        headers: [['Content-Type', 'application/vnd.kubernetes.protobuf']],
        body,
      },
    };
  },
  'deep nesting': (dice) => {
    const depth = dice.pick([100, 4000, 8000, 200_000]);
    const body = dice.pick([
      pile(depth, '[', ']'),
      pile(depth, '{"a":', '}'),
      Buffer.from(`{"metadata":{"name":"d"},"data":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`),
    ]);
    return { request: write(dice, body, sample(dice), dice.pick(['application/json', ...PATCHES])) };
  },
  'huge numbers': (dice) => {
    const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n","generation":${'9'.repeat(dice.pick([20, 400, 100_000]))}},"data":{"k":1e${dice.pick(['5', '999', '99999'])}}}`;
    return { request: { method: 'POST', path: `/api/v1/namespaces/${NAMESPACE}/configmaps`, headers: [JSON_TYPE], body: Buffer.from(body) } };
  },
  patches: (dice) => {
    const at = sample(dice);
    const type = dice.pick(PATCHES);
    const operations = Array.from({ length: dice.pick([1, 3, 20_000]) }, () => ({
      op: dice.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'explode']),
      path: dice.pick(['/data/k', '/metadata', '', '/', '/spec/containers/-', '/spec/containers/99', '/a~2', 'x', '/__proto__/y']),
      from: '/metadata',
      value: dice.chance(0.5) ? 'v' : { a: 1 },
    }));
    const value = type === 'application/json-patch+json' ? operations : distorted(at.object, dice);
    return {
      request: write(dice, Buffer.from(JSON.stringify(value)), at, type, type.includes('apply') ? '?fieldManager=fuzz&force=true' : ''),
      // Upstream has no better status for members that the schema does not know, nor for list items that strategic merge cannot tell apart.
      upstreamToo: ({ status, head }) =>
        status === 500 && /failed to create typed patch object|does not contain declared merge key|list element types are not identical/.test(head),
    };
  },
  'a patch that explodes': (dice) => {
    const doublings = Array.from({ length: dice.pick([10, 40, 200]) }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/x${i}` }));
    return {
      request: {
        method: 'PATCH',
        path: `/api/v1/namespaces/${NAMESPACE}/configmaps/seed`,
        headers: [['Content-Type', PATCHES[2]]],
        body: Buffer.from(JSON.stringify(doublings)),
      },
    };
  },
  'YAML that grows': (dice) => {
    const levels = dice.pick([5, 12, 30]);
    const lines = ['apiVersion: v1', 'kind: ConfigMap', 'metadata: {name: y}', 'a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol]'];
    for (let i = 1; i < levels; i++) lines.push(`a${i}: &a${i} [${Array.from({ length: 8 }, () => `*a${i - 1}`).join(', ')}]`);
    return {
      request: write(dice, Buffer.from(lines.join('\n')), sample(dice), dice.pick(['application/yaml', 'application/apply-patch+yaml']), '?fieldManager=f'),
    };
  },
  'expressions that run away': (dice) => {
    const expression = dice.pick([
      '[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, [1,2,3,4,5,6,7,8].all(c, [1,2,3,4,5,6,7,8].all(d, a+b+c+d > 0))))',
      `${'('.repeat(3000)}1${')'.repeat(3000)} == 1`,
      `"${'a'.repeat(5000)}".matches("(a+)+b")`,
      `${'!'.repeat(5000)}true`,
      `${'1+'.repeat(20_000)}1 > 0`,
      'object.',
      '\u0000',
    ]);
    const object = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'fuzz-cel' },
      spec: {
        matchConstraints: { resourceRules: [{ apiGroups: ['x'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] },
        validations: [{ expression }],
      },
    };
    return {
      request: {
        method: 'POST',
        path: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
        headers: [JSON_TYPE],
        body: Buffer.from(JSON.stringify(object)),
      },
    };
  },
  'odd paths': (dice) => ({ request: { method: dice.pick(METHODS), path: dice.pick(ODD_PATHS) } }),
  'odd queries': (dice) => ({
    request: {
      method: dice.pick(['GET', 'GET', 'GET', 'DELETE', 'POST']),
      path: `/api/v1/namespaces/${NAMESPACE}/${dice.pick(['configmaps', 'pods', 'nothings'])}?${dice.pick(ODD_QUERIES)}&${dice.pick(ODD_QUERIES)}`,
      leaveEarly: true,
    },
  }),
  'odd headers': (dice) => ({
    request: {
      method: dice.pick(['GET', 'POST', 'PATCH']),
      path: `/api/v1/namespaces/${NAMESPACE}/configmaps`,
      headers: dice.pick<readonly (readonly [string, string])[]>([
        [['Accept', 'application/json;as=Table;v=v9;g=none']],
        [['Accept', `${'application/x,'.repeat(2000)}*/*;q=zzz`]],
        [['Authorization', `Bearer ${'x'.repeat(9000)}`]],
        [['Authorization', 'Bearer eyJhbGciOiJub25lIn0.e30.']],
        [['Content-Type', 'application/json; charset="\u00ff']],
        [['Content-Encoding', 'gzip']],
        [
          ['Transfer-Encoding', 'chunked'],
          ['Content-Length', '5'],
        ],
        [['Content-Length', '-1']],
        [['Content-Length', '99999999999']],
        [['Impersonate-User', '']],
        [['Impersonate-Extra-%zz', 'x']],
        [['Impersonate-Uid', 'only']],
        Array.from({ length: 400 }, (_, i) => [`X-Flood-${i}`, 'y'.repeat(30)] as const),
        [['X-Remote-User', 'system:admin']],
        [
          ['Upgrade', 'websocket'],
          ['Connection', 'Upgrade'],
          ['Sec-WebSocket-Key', 'zzz'],
        ],
        [
          ['Upgrade', 'SPDY/3.1'],
          ['Connection', 'Upgrade'],
        ],
      ]),
      ...(dice.chance(0.5) ? { body: Buffer.from(JSON.stringify(oddValue(dice))) } : {}),
      cutAt: 60_000,
    },
  }),
  'slow body': (dice) => {
    const at = sample(dice);
    return { request: { ...write(dice, Buffer.from(JSON.stringify(at.object)), at), pieces: 1 + dice.int(40) } };
  },
  'hung up': (dice) => {
    const at = sample(dice);
    return { request: { ...write(dice, Buffer.from(JSON.stringify(at.object)), at), cutAt: dice.int(700) } };
  },
  'half-open watch': (dice) => ({
    request: {
      method: 'GET',
      path: `${dice.pick(samples(NAMESPACE, 'w')).path}?watch=1&allowWatchBookmarks=true&resourceVersion=${dice.pick(['0', '1', '', '999999999'])}`,
      leaveEarly: true,
    },
    // A revision that is not there yet is waited for, and then refused with a time-out.
    upstreamToo: ({ status }) => status === 504,
  }),
  'too large': (dice) => ({
    request: {
      method: 'POST',
      path: `/api/v1/namespaces/${NAMESPACE}/configmaps`,
      headers: [JSON_TYPE],
      body: Buffer.from(`{"metadata":{"name":"l"},"data":{"k":"${'x'.repeat(dice.pick([1_500_000, 3_200_000, 5_000_000]))}"}}`),
    },
  }),
  'not even HTTP': (dice) => ({ request: { method: dice.bytes(1 + dice.int(60)).toString('latin1'), path: dice.bytes(10).toString('latin1'), cutAt: 400 } }),
  deletes: (dice) => {
    const at = sample(dice);
    const body = dice.chance(0.5)
      ? {
          body: Buffer.from(
            JSON.stringify(
              dice.chance(0.5)
                ? { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'x' }, gracePeriodSeconds: -3, propagationPolicy: 'Sideways' }
                : oddValue(dice),
            ),
          ),
          headers: [JSON_TYPE],
        }
      : {};
    return { request: { method: 'DELETE', path: dice.chance(0.2) ? `${at.path}?labelSelector=fuzz%3Dyes` : `${at.path}/${at.name}`, ...body } };
  },
};

const NAMES = Object.keys(families);

export function nextCase(dice: Dice): FuzzCase {
  const family = dice.pick(NAMES);
  return { family, ...(families[family] as Maker)(dice) };
}
