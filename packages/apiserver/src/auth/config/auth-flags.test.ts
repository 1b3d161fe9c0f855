import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCa, createServiceAccountKeys, issueCertificate } from '@coxswain/pki';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiServer } from '../../create-api-server.js';
import { parseApiServerFlags } from '../../options.js';
import { MemoryStore } from '../../testing/memory-store.js';
import { startWebhook } from '../../testing/start-webhook.js';
import type { Answerer, TestWebhook, WebhookCall } from '../../testing/start-webhook.js';

const HOUR = 3_600_000;
const TIMEOUT = { timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), 'auth-flags-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const kubeconfig = (name: string, url: string, ca: string): string =>
  file(
    name,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'hook', cluster: { server: url, 'certificate-authority-data': ca } }],
      users: [{ name: 'apiserver', user: {} }],
      contexts: [{ name: 'hook', context: { cluster: 'hook', user: 'apiserver' } }],
      'current-context': 'hook',
    }),
  );

let ca = '';
const base: Record<string, string> = {};
beforeAll(async () => {
  const now = systemClock.now();
  const authority = await createCa('test', now, HOUR);
  const { cert, key } = await issueCertificate(authority, {
    usage: 'server',
    subject: { commonName: 'apiserver' },
    ipAddresses: ['127.0.0.1'],
    now,
    validForMs: HOUR,
  });
  ca = authority.cert;
  Object.assign(base, {
    'tls-cert-file': file('tls.crt', cert),
    'tls-private-key-file': file('tls.key', key),
    'service-account-signing-key-file': file('sa.key', createServiceAccountKeys().privateKey),
    'token-auth-file': file('tokens', 'admin,admin,1,"system:masters"\n'),
    'bind-address': '127.0.0.1',
    'secure-port': '0',
  });
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
type Json = any;

interface Api extends AsyncDisposable {
  call(method: string, path: string, token: string, body?: object): Promise<{ status: number; json: Json }>;
  whoAmI(token: string): Promise<{ status: number; user: Json; message: string }>;
}

async function start(flags: Record<string, string>): Promise<Api> {
  const store = new MemoryStore(systemClock);
  const server = await createApiServer(parseApiServerFlags({ ...base, ...flags }), { store, clock: systemClock, random: systemRandom, logger: silentLogger });
  await server.start(new AbortController().signal);
  const api: Api = {
    call: (method, path, token, body) =>
      new Promise((resolve, reject) => {
        const text = body && JSON.stringify(body);
        const headers = { ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...(text ? { 'content-type': 'application/json' } : {}) };
        const outgoing = httpsRequest({ host: '127.0.0.1', port: server.port, ca, method, path, headers, agent: false }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const received = Buffer.concat(chunks).toString();
            resolve({ status: answer.statusCode ?? 0, json: received.startsWith('{') ? JSON.parse(received) : { text: received } });
          });
        });
        outgoing.on('error', reject);
        outgoing.end(text);
      }),
    async whoAmI(token) {
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const { status, json } = await api.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', token, review);
      return { status, user: json.status?.userInfo, message: json.message ?? '' };
    },
    async [Symbol.asyncDispose]() {
      await server.stop(AbortSignal.abort());
      await store.close();
    },
  };
  return api;
}

describe('token webhook', TIMEOUT, () => {
  const audience = 'https://kubernetes.default.svc.cluster.local';
  const answer: Answerer = ({ body }) => {
    const answers: Record<string, object> = {
      good: { authenticated: true, user: { username: 'jane', uid: '42', groups: ['devs'], extra: { team: ['a', 'b'] } } },
      elsewhere: { authenticated: true, user: { username: 'jane' }, audiences: ['https://elsewhere.example.com'] },
      nameless: { authenticated: true, user: {} },
      bad: { authenticated: false, error: 'no such token' },
    };
    return { apiVersion: body.apiVersion, kind: 'TokenReview', status: answers[body.spec.token] ?? { authenticated: false } };
  };

  it('asks for the users of tokens, once for as long as the answer holds', async () => {
    await using hook = await startWebhook(answer);
    const flags = { 'authentication-token-webhook-config-file': kubeconfig('token.yaml', `${hook.url}/authenticate`, hook.caBundle) };
    await using api = await start({ ...flags, 'authentication-token-webhook-version': 'v1' });
    const { status, user } = await api.whoAmI('good');
    expect(status).toBe(201);
    expect(user).toEqual({ username: 'jane', uid: '42', groups: ['devs', 'system:authenticated'], extra: { team: ['a', 'b'] } });
    await api.whoAmI('good');
    const asked = hook.calls.filter(({ body }) => body.spec.token === 'good');
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: '/authenticate',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'good', audiences: [audience] } },
    });
    // A TokenReview of ours asks the webhook, too.
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'good' } };
    const reviewed = await api.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', 'admin', review);
    expect(reviewed.json.status).toMatchObject({ authenticated: true, user: { username: 'jane' }, audiences: [audience] });
    for (const token of ['bad', 'unknown', 'elsewhere', 'nameless']) expect((await api.whoAmI(token)).status, token).toBe(401);
    // Tokens the server knows itself are nobody else's business.
    await api.whoAmI('admin');
    expect(hook.calls.some(({ body }) => body.spec.token === 'admin')).toBe(false);
  });

  it('speaks v1beta1 when nobody says otherwise, and tries again when it gets no answer', async () => {
    let failures = 1;
    await using hook = await startWebhook((call) => (failures-- > 0 ? 'rubbish' : answer(call)));
    await using api = await start({ 'authentication-token-webhook-config-file': kubeconfig('beta.yaml', hook.url, hook.caBundle) });
    expect((await api.whoAmI('good')).status).toBe(401);
    expect((await api.whoAmI('good')).status).toBe(201);
    expect(hook.calls.map(({ body }) => body.apiVersion)).toEqual(['authentication.k8s.io/v1beta1', 'authentication.k8s.io/v1beta1']);
  });

  it('refuses tokens while the webhook is down, and nobody else', async () => {
    const hook = await startWebhook(answer);
    await using api = await start({ 'authentication-token-webhook-config-file': kubeconfig('down.yaml', hook.url, hook.caBundle) });
    await hook[Symbol.asyncDispose]();
    const refused = api.whoAmI('good');
    expect((await api.whoAmI('admin')).status).toBe(201);
    expect((await api.call('GET', '/readyz', '')).status).toBe(200);
    expect((await refused).status).toBe(401);
  });
});

describe('authorization webhook', TIMEOUT, () => {
  const decide: Answerer = ({ body }: WebhookCall) => {
    const { resourceAttributes: about, user } = body.spec;
    if (about?.resource === 'secrets') return { ...body, status: { allowed: false, denied: true, reason: 'secrets are secret' } };
    return {
      ...body,
      status: user === 'jane' && about?.verb === 'list' ? { allowed: true, reason: 'jane may look' } : { allowed: false, reason: 'not for you' },
    };
  };
  const tokens = () => ({ 'token-auth-file': file('users', 'admin,admin,1,"system:masters"\njane,jane,2,"devs"\n') });

  it('is asked in its place, and its answers hold', async () => {
    await using hook = await startWebhook(decide);
    const flags = {
      'authorization-mode': 'RBAC,Webhook',
      'authorization-webhook-config-file': kubeconfig('access.yaml', `${hook.url}/authorize`, hook.caBundle),
    };
    await using api = await start({ ...tokens(), ...flags, 'authorization-webhook-version': 'v1' });
    const path = '/api/v1/namespaces/default/configmaps';
    expect((await api.call('GET', `${path}?labelSelector=a%3Db&fieldSelector=metadata.name!%3Dx`, 'jane')).status).toBe(200);
    expect(hook.calls.at(-1)).toMatchObject({
      url: '/authorize',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: 'jane',
          groups: ['devs', 'system:authenticated'],
          resourceAttributes: {
            namespace: 'default',
            verb: 'list',
            version: 'v1',
            resource: 'configmaps',
            fieldSelector: { requirements: [{ key: 'metadata.name', operator: 'NotIn', values: ['x'] }] },
            labelSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] },
          },
        },
      },
    });
    expect((await api.call('GET', path, 'jane')).status).toBe(200);
    const before = hook.calls.length;
    expect((await api.call('GET', path, 'jane')).status).toBe(200);
    expect(hook.calls).toHaveLength(before);
    const created = await api.call('POST', path, 'jane', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } });
    expect(created).toMatchObject({ status: 403, json: { message: expect.stringMatching(/cannot create resource "configmaps".*not for you/) } });
    // What RBAC allows it is not asked about.
    const asked = hook.calls.length;
    expect((await api.whoAmI('jane')).status).toBe(201);
    expect(hook.calls).toHaveLength(asked);
  });

  const configured = (hook: TestWebhook, failurePolicy: string, conditions: readonly string[]) =>
    file(
      'authorization.yaml',
      JSON.stringify({
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'AuthorizationConfiguration',
        authorizers: [
          {
            type: 'Webhook',
            name: 'hook',
            webhook: {
              timeout: '2s',
              subjectAccessReviewVersion: 'v1',
              matchConditionSubjectAccessReviewVersion: 'v1',
              failurePolicy,
              connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: kubeconfig('configured.yaml', hook.url, hook.caBundle) },
              matchConditions: conditions.map((expression) => ({ expression })),
            },
          },
          { type: 'RBAC', name: 'rbac' },
        ],
      }),
    );

  it('is asked only about what its conditions match, and denies before others allow', async () => {
    await using hook = await startWebhook(decide);
    const conditions = ['has(request.resourceAttributes)', "request.resourceAttributes.resource == 'secrets'"];
    await using api = await start({ ...tokens(), 'authorization-config': configured(hook, 'NoOpinion', conditions) });
    expect((await api.whoAmI('jane')).status).toBe(201);
    expect(hook.calls).toHaveLength(0);
    const refused = await api.call('GET', '/api/v1/secrets', 'jane');
    expect(refused).toMatchObject({ status: 403, json: { message: expect.stringContaining('secrets are secret') } });
    // Members of system:masters are asked about by nobody.
    expect((await api.call('GET', '/api/v1/secrets', 'admin')).status).toBe(200);
    expect(hook.calls).toHaveLength(1);
  });

  it.each([
    ['NoOpinion', 201],
    ['Deny', 403],
  ])('when it is down the failure policy %s counts', async (policy, status) => {
    const hook = await startWebhook(decide);
    await using api = await start({ ...tokens(), 'authorization-config': configured(hook, policy, ["request.user == 'jane'"]) });
    await hook[Symbol.asyncDispose]();
    expect((await api.whoAmI('jane')).status).toBe(status);
  });

  it('says what is wrong with flags and files', async () => {
    const problems = (flags: Record<string, string>) => {
      try {
        parseApiServerFlags({ ...base, ...flags });
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(problems({ 'authorization-mode': 'RBAC,ABAC' })).toContain('--authorization-mode: "ABAC" is not part of this API server');
    expect(problems({ 'authorization-mode': 'Webhook' })).toContain('--authorization-webhook-config-file: is required');
    expect(problems({ 'authorization-config': 'x', 'authorization-mode': 'RBAC' })).toContain('cannot be used together with --authorization-mode');
    expect(problems({ 'oidc-issuer-url': 'https://x.example.com' })).toContain('must be specified together');
    expect(problems({ 'oidc-issuer-url': 'http://x.example.com', 'oidc-client-id': 'x' })).toContain('URL scheme must be https');
    const wrong = file(
      'wrong.yaml',
      'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers:\n- {type: Webhook, name: a, webhook: {timeout: 31s, failurePolicy: Maybe, typo: 1}}\n',
    );
    await expect(start({ 'authorization-config': wrong })).rejects.toThrow(
      /--authorization-config: .*timeout: Invalid value.*failurePolicy: Unsupported value: "Maybe".*typo: unknown field/,
    );
    await expect(start({ 'authentication-token-webhook-config-file': '/no/such/file' })).rejects.toThrow(
      /--authentication-token-webhook-config-file: cannot read/,
    );
  });
});

describe('OpenID Connect', TIMEOUT, () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const makeKey = (kid: string) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' } };
  };
  type Key = ReturnType<typeof makeKey>;
  const sign = (claims: object, { kid, privateKey }: Key, alg = 'RS256') => {
    const content = `${encode({ alg, kid })}.${encode(claims)}`;
    return `${content}.${createSign('RSA-SHA256').update(content).sign(privateKey).toString('base64url')}`;
  };
  const seconds = () => Math.floor(systemClock.now() / 1000);

  async function issuer(keys: Key[]) {
    let url = '';
    const hook = await startWebhook(({ url: path }) => {
      if (path === '/.well-known/openid-configuration') return { issuer: url, jwks_uri: `${url}/keys` };
      return path === '/keys' ? { keys: keys.map(({ jwk }) => jwk) } : {};
    });
    url = hook.url;
    return hook;
  }

  it('makes users of ID tokens, and refuses those that are not as they should be', async () => {
    const [key, stranger] = [makeKey('one'), makeKey('one')];
    const keys = [key];
    await using hook = await issuer(keys);
    await using api = await start({
      'oidc-issuer-url': hook.url,
      'oidc-client-id': 'coxswain',
      'oidc-ca-file': file('issuer.crt', Buffer.from(hook.caBundle, 'base64').toString()),
      'oidc-username-claim': 'email',
      'oidc-groups-claim': 'roles',
      'oidc-groups-prefix': 'oidc:',
      'oidc-required-claim': 'tenant=blue',
    });
    const claims = {
      iss: hook.url,
      aud: ['coxswain', 'other'],
      sub: 'u1',
      email: 'jane@example.com',
      roles: ['dev', 'ops'],
      tenant: 'blue',
      exp: seconds() + 600,
    };
    expect((await api.whoAmI(sign(claims, key))).user).toEqual({ username: 'jane@example.com', groups: ['oidc:dev', 'oidc:ops', 'system:authenticated'] });
    const refused = {
      expired: { ...claims, exp: seconds() - 10 },
      'for somebody else': { ...claims, aud: 'other' },
      'not yet valid': { ...claims, nbf: seconds() + 3600 },
      'not of the tenant': { ...claims, tenant: 'red' },
      'without the claim': { ...claims, tenant: undefined },
      'not confirmed': { ...claims, email_verified: false },
      nameless: { ...claims, email: undefined },
      'of another issuer': { ...claims, iss: 'https://other.example.com' },
    };
    for (const [why, wrong] of Object.entries(refused)) expect((await api.whoAmI(sign(wrong, key))).status, why).toBe(401);
    expect((await api.whoAmI(sign(claims, stranger))).status).toBe(401);
    expect((await api.whoAmI(`${encode({ alg: 'none' })}.${encode(claims)}.`)).status).toBe(401);
    const [head, body, signature] = sign(claims, key).split('.');
    expect((await api.whoAmI(`${head}.${encode({ ...claims, email: 'admin@example.com' })}.${signature}`)).status).toBe(401);
    expect(body).toBeDefined();
  });

  it('maps claims by expressions, prefixes names by default, and serves several issuers', async () => {
    const key = makeKey('k');
    await using first = await issuer([key]);
    await using second = await issuer([key]);
    const config = {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthenticationConfiguration',
      jwt: [
        {
          issuer: {
            url: first.url,
            audiences: ['a', 'b'],
            audienceMatchPolicy: 'MatchAny',
            certificateAuthority: Buffer.from(first.caBundle, 'base64').toString(),
          },
          claimValidationRules: [{ expression: 'claims.exp - claims.iat <= 3600', message: 'lives too long' }],
          claimMappings: {
            username: { expression: "'x:' + claims.sub" },
            groups: { expression: "claims.roles.split(',')" },
            uid: { claim: 'sub' },
            extra: [{ key: 'example.com/tenant', valueExpression: 'claims.tenant' }],
          },
          userValidationRules: [{ expression: "!user.username.startsWith('x:system:')", message: 'reserved' }],
        },
        {
          issuer: { url: second.url, audiences: ['c'], certificateAuthority: Buffer.from(second.caBundle, 'base64').toString() },
          claimMappings: { username: { claim: 'sub', prefix: 'second:' } },
        },
      ],
      anonymous: { enabled: true, conditions: [{ path: '/livez' }] },
    };
    await using api = await start({ 'authentication-config': file('authentication.yaml', JSON.stringify(config)) });
    const claims = { iss: first.url, aud: 'b', sub: 'u1', roles: 'dev,ops', tenant: 'blue', iat: seconds(), exp: seconds() + 600 };
    expect((await api.whoAmI(sign(claims, key))).user).toEqual({
      username: 'x:u1',
      uid: 'u1',
      groups: ['dev', 'ops', 'system:authenticated'],
      extra: { 'example.com/tenant': ['blue'] },
    });
    expect((await api.whoAmI(sign({ ...claims, exp: seconds() + 7200 }, key))).status).toBe(401);
    expect((await api.whoAmI(sign({ ...claims, sub: 'system:admin' }, key))).status).toBe(401);
    expect((await api.whoAmI(sign({ iss: second.url, aud: 'c', sub: 'u2', exp: seconds() + 600 }, key))).user.username).toBe('second:u2');
    expect((await api.call('GET', '/livez', '')).status).toBe(200);
    expect((await api.call('GET', '/readyz', '')).status).toBe(401);
  });

  it('says what is wrong with a configuration', async () => {
    const wrong = file(
      'wrong-authentication.yaml',
      'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt:\n- issuer: {url: "http://x"}\n  claimMappings: {username: {claim: sub}, uid: {expression: "claims.("}}\n',
    );
    await expect(start({ 'authentication-config': wrong })).rejects.toThrow(
      /jwt\[0\]\.issuer\.url: .*https.*jwt\[0\]\.issuer\.audiences: Required value.*jwt\[0\]\.claimMappings\.username\.prefix: Required value/,
    );
  });
});

describe('bootstrap tokens', TIMEOUT, () => {
  const secretOf = (id: string, data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'bootstrap.kubernetes.io/token',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    stringData: { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...data },
  });

  it('let new nodes in until they expire or are deleted', async () => {
    await using api = await start({ 'enable-bootstrap-token-auth': 'true' });
    const secrets = '/api/v1/namespaces/kube-system/secrets';
    const soon = new Date(systemClock.now() + HOUR).toISOString();
    await api.call('POST', secrets, 'admin', secretOf('abcdef', { expiration: soon, 'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token' }));
    await api.call('POST', secrets, 'admin', secretOf('aaaaaa', { expiration: '2020-01-01T00:00:00Z' }));
    await api.call('POST', secrets, 'admin', secretOf('bbbbbb', { 'usage-bootstrap-authentication': 'false' }));
    await api.call('POST', secrets, 'admin', secretOf('cccccc', { 'auth-extra-groups': 'system:masters' }));
    const { user } = await api.whoAmI('abcdef.0123456789abcdef');
    expect(user).toEqual({
      username: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
    });
    for (const id of ['aaaaaa', 'bbbbbb', 'cccccc', 'dddddd']) expect((await api.whoAmI(`${id}.0123456789abcdef`)).status, id).toBe(401);
    expect((await api.whoAmI('abcdef.fedcba9876543210')).status).toBe(401);
    await api.call('DELETE', `${secrets}/bootstrap-token-abcdef`, 'admin');
    expect((await api.whoAmI('abcdef.0123456789abcdef')).status).toBe(401);
  });

  it('are nothing unless asked for', async () => {
    await using api = await start({});
    await api.call('POST', '/api/v1/namespaces/kube-system/secrets', 'admin', secretOf('abcdef', {}));
    expect((await api.whoAmI('abcdef.0123456789abcdef')).status).toBe(401);
  });
});
