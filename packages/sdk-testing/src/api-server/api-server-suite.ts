import type { KubeObject } from '@coxswain/api';
import type { CustomApiServer } from '@coxswain/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, watchUntil } from './http-call.js';
import type { ApiAnswer, ApiTarget } from './http-call.js';

/** A kind of the server under test. */
export interface ApiKindUnderTest {
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  /** Absent: cluster-scoped. */
  readonly namespace?: string;
  /** Names of objects that are there while the suite runs. */
  readonly existing?: readonly string[];
  /** For kinds that can be written: two objects of different content for a name. */
  readonly write?: {
    object(name: string): KubeObject;
    /** Changes a member of the spec to another valid value. */
    change(object: KubeObject): void;
    /** An object whose schema does not hold; the field the error names. */
    readonly invalid?: { object(name: string): KubeObject; readonly field: string };
  };
}

export interface ApiServerUnderTest {
  readonly server: CustomApiServer;
  /** The primary the server is registered with; its token's user may do everything. */
  readonly primary: ApiTarget;
  /** A user of the primary without any right. */
  readonly nobodyToken: string;
  /** The client certificate the primary shows, PEM. */
  readonly frontProxy: { readonly cert: string; readonly key: string };
  readonly kinds: readonly ApiKindUnderTest[];
  stop(): Promise<void>;
}

export interface ApiServerSuiteOptions {
  readonly name?: string;
  start(): Promise<ApiServerUnderTest>;
}

/** Conformance of a custom API server: what the primary, kubectl and controllers expect of it, through the primary and directly. */
export function apiServerSuite(options: ApiServerSuiteOptions): void {
  describe(`custom API server conformance: ${options.name ?? 'server'}`, { timeout: 60_000 }, () => {
    let under: ApiServerUnderTest;
    beforeAll(async () => {
      under = await options.start();
    }, 60_000);
    afterAll(() => under?.stop());

    const through = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer> =>
      call(under.primary, method, path, body, headers);
    const direct = (method: string, path: string, headers?: Record<string, string>, identity: object = {}): Promise<ApiAnswer> =>
      call({ url: under.server.endpoint.url, ca: under.server.endpoint.caBundle, ...identity }, method, path, undefined, headers);
    const group = () => (under.server.groupVersions[0] as CustomApiServer['groupVersions'][number]).group;
    const root = ({ version }: ApiKindUnderTest) => `/apis/${group()}/${version}`;
    const pathOf = (kind: ApiKindUnderTest, name = '') =>
      `${root(kind)}${kind.namespace ? `/namespaces/${kind.namespace}` : ''}/${kind.plural}${name === '' ? '' : `/${name}`}`;
    const readable = () => under.kinds.filter((kind) => (kind.existing?.length ?? 0) > 0);
    const writable = () => under.kinds.flatMap((kind) => (kind.write ? [{ kind, write: kind.write }] : []));
    const verbsOf = async (kind: ApiKindUnderTest): Promise<string[]> => {
      const { json } = await through('GET', root(kind));
      return json.resources.find((resource: { name: string }) => resource.name === kind.plural)?.verbs ?? [];
    };

    describe('discovery', () => {
      it('announces its group versions as APIServices that are available', async () => {
        for (const { group, version } of under.server.groupVersions) {
          const { json } = await through('GET', `/apis/apiregistration.k8s.io/v1/apiservices/${version}.${group}`);
          expect(json.status.conditions).toContainEqual(expect.objectContaining({ type: 'Available', status: 'True', reason: 'Passed' }));
        }
      });

      it('lists its resources, with kinds, scopes and verbs', async () => {
        for (const kind of under.kinds) {
          const { status, json } = await through('GET', root(kind));
          expect(status).toBe(200);
          expect(json).toMatchObject({ kind: 'APIResourceList', groupVersion: `${group()}/${kind.version}` });
          const found = json.resources.find((resource: { name: string }) => resource.name === kind.plural);
          expect(found).toMatchObject({ kind: kind.kind, namespaced: kind.namespace !== undefined, verbs: expect.arrayContaining(['get']) });
        }
      });

      it('is in the group list and in the aggregated discovery of the primary', async () => {
        expect((await through('GET', '/apis')).json.groups.map((each: { name: string }) => each.name)).toContain(group());
        const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
        const { json } = await through('GET', '/apis', undefined, { accept });
        const found = json.items.find((item: { metadata: { name: string } }) => item.metadata.name === group());
        for (const kind of under.kinds) {
          const version = found.versions.find((each: { version: string }) => each.version === kind.version);
          expect(version.freshness).toBe('Current');
          expect(version.resources.map((each: { resource: string }) => each.resource)).toContain(kind.plural);
        }
      });

      it('documents its kinds in OpenAPI v3, through the primary', async () => {
        const index = (await through('GET', '/openapi/v3')).json.paths;
        for (const kind of under.kinds) {
          const url = index[`apis/${group()}/${kind.version}`].serverRelativeURL as string;
          const document = (await through('GET', url)).json;
          const kinds = Object.values<{ 'x-kubernetes-group-version-kind'?: object[] }>(document.components.schemas).flatMap(
            (schema) => schema['x-kubernetes-group-version-kind'] ?? [],
          );
          expect(kinds).toContainEqual({ group: group(), version: kind.version, kind: kind.kind });
        }
      });

      it('documents its kinds in the OpenAPI v2 document of the primary', async () => {
        const document = (await through('GET', '/openapi/v2')).json;
        for (const kind of under.kinds) expect(Object.keys(document.paths)).toContain(pathOf(kind).replace(/namespaces\/[^/]+/, 'namespaces/{namespace}'));
      });
    });

    describe('reading', () => {
      it('gets and lists what is there, each with its kind', async () => {
        for (const kind of readable()) {
          for (const name of kind.existing ?? []) {
            const { status, json } = await through('GET', pathOf(kind, name));
            expect(status, `${kind.plural}/${name}`).toBe(200);
            expect(json).toMatchObject({ kind: kind.kind, apiVersion: `${group()}/${kind.version}`, metadata: { name } });
            expect(json.metadata.namespace).toBe(kind.namespace);
          }
          const { json } = await through('GET', pathOf(kind));
          expect(json.kind).toMatch(/List$/);
          expect(json.metadata.resourceVersion ?? '').toMatch(/^\d*$/);
          expect(json.items.map((item: KubeObject) => item.metadata.name)).toEqual(expect.arrayContaining([...(kind.existing ?? [])]));
        }
      });

      it('answers 404 with a Status for names and resources there are not', async () => {
        for (const kind of under.kinds) {
          const { status, json } = await through('GET', pathOf(kind, 'there-is-no-such-thing'));
          expect(status).toBe(404);
          expect(json).toMatchObject({ kind: 'Status', reason: 'NotFound', code: 404, details: { name: 'there-is-no-such-thing', kind: kind.plural } });
          expect((await through('GET', `${root(kind)}/nosuchresources`)).status).toBe(404);
        }
      });

      it('shows rows with the name first, and metadata alone', async () => {
        for (const kind of readable()) {
          const table = (await through('GET', pathOf(kind), undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' })).json;
          expect(table).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
          expect(table.columnDefinitions[0]).toMatchObject({ name: 'Name', format: 'name' });
          for (const row of table.rows) {
            expect(row.cells).toHaveLength(table.columnDefinitions.length);
            expect(row.cells[0]).toBe(row.object.metadata.name);
          }
          const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';
          const { json } = await through('GET', pathOf(kind), undefined, { accept });
          expect(json.kind).toBe('PartialObjectMetadataList');
          expect(Object.keys(json.items[0]).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
        }
      });

      it('selects by name and by label, and refuses selectors it cannot follow', async () => {
        for (const kind of readable()) {
          const [name] = kind.existing as readonly string[];
          const named = await through('GET', `${pathOf(kind)}?fieldSelector=metadata.name%3D${name}`);
          expect(named.json.items.map((item: KubeObject) => item.metadata.name)).toEqual([name]);
          expect((await through('GET', `${pathOf(kind)}?labelSelector=no.such/label%3Dx`)).json.items).toEqual([]);
          expect((await through('GET', `${pathOf(kind)}?labelSelector=%3D%3D`)).status).toBe(400);
          expect((await through('GET', `${pathOf(kind)}?fieldSelector=spec.nosuchfield%3Dx`)).status).toBe(400);
        }
      });

      it('answers 405 for verbs it does not offer', async () => {
        for (const kind of under.kinds) {
          if ((await verbsOf(kind)).includes('create')) continue;
          const object = { apiVersion: `${group()}/${kind.version}`, kind: kind.kind, metadata: { name: 'x' } };
          const { status, json } = await through('POST', pathOf(kind), object);
          expect(status).toBe(405);
          expect(json).toMatchObject({ kind: 'Status', reason: 'MethodNotAllowed' });
        }
      });
    });

    describe('writing', () => {
      it('creates, refuses a second of the name, and deletes', async () => {
        for (const { kind, write } of writable()) {
          const created = await through('POST', pathOf(kind), write.object('one'));
          expect(created.status, created.text).toBe(201);
          expect(created.json.metadata).toMatchObject({ name: 'one', uid: expect.any(String), creationTimestamp: expect.any(String) });
          expect(created.json.metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
          const again = await through('POST', pathOf(kind), write.object('one'));
          expect(again).toMatchObject({ status: 409, json: { reason: 'AlreadyExists' } });
          expect((await through('DELETE', pathOf(kind, 'one'))).status).toBe(200);
          expect((await through('GET', pathOf(kind, 'one'))).status).toBe(404);
          expect((await through('DELETE', pathOf(kind, 'one'))).status).toBe(404);
        }
      });

      it('updates the version it was given, and no other', async () => {
        for (const { kind, write } of writable()) {
          const { json: first } = await through('POST', pathOf(kind), write.object('two'));
          const next = structuredClone(first);
          write.change(next);
          const updated = await through('PUT', pathOf(kind, 'two'), next);
          expect(updated.status, updated.text).toBe(200);
          expect(Number(updated.json.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
          expect(updated.json.metadata.uid).toBe(first.metadata.uid);
          expect(await through('PUT', pathOf(kind, 'two'), next)).toMatchObject({ status: 409, json: { reason: 'Conflict' } });
          await through('DELETE', pathOf(kind, 'two'));
        }
      });

      it('patches: merge, JSON, and apply with field managers', async () => {
        for (const { kind, write } of writable()) {
          await through('POST', pathOf(kind), write.object('three'));
          const patch = (type: string, body: unknown, query = '') => through('PATCH', `${pathOf(kind, 'three')}${query}`, body, { 'content-type': type });
          const merged = await patch('application/merge-patch+json', { metadata: { labels: { by: 'merge' } } });
          expect(merged.json.metadata.labels).toEqual({ by: 'merge' });
          const edited = await patch('application/json-patch+json', [{ op: 'replace', path: '/metadata/labels/by', value: 'json' }]);
          expect(edited.json.metadata.labels).toEqual({ by: 'json' });
          const { apiVersion, kind: kindName } = write.object('three');
          const applied = await patch(
            'application/apply-patch+yaml',
            { apiVersion, kind: kindName, metadata: { name: 'three', labels: { applied: 'yes' } } },
            '?fieldManager=suite',
          );
          expect(applied.status, applied.text).toBe(200);
          expect(applied.json.metadata.labels).toEqual({ by: 'json', applied: 'yes' });
          expect(applied.json.metadata.managedFields).toContainEqual(expect.objectContaining({ manager: 'suite', operation: 'Apply' }));
          await through('DELETE', pathOf(kind, 'three'));
        }
      });

      it('checks objects by their schema', async () => {
        for (const { kind, write } of writable()) {
          if (!write.invalid) continue;
          const { status, json } = await through('POST', pathOf(kind), write.invalid.object('four'));
          expect(status).toBe(422);
          expect(json.details.causes.map((cause: { field: string }) => cause.field)).toContain(write.invalid.field);
        }
      });

      it('keeps nothing of a dry run', async () => {
        for (const { kind, write } of writable()) {
          expect((await through('POST', `${pathOf(kind)}?dryRun=All`, write.object('five'))).status).toBe(201);
          expect((await through('GET', pathOf(kind, 'five'))).status).toBe(404);
        }
      });

      it('makes nothing in a namespace there is not', async () => {
        for (const { kind, write } of writable()) {
          if (!kind.namespace) continue;
          const object = { ...write.object('six'), metadata: { name: 'six' } };
          const { status, text } = await through('POST', pathOf({ ...kind, namespace: 'there-is-no-such-namespace' }), object);
          expect(status, text).toBe(404);
          expect(text).toContain('there-is-no-such-namespace');
        }
      });

      it('waits for finalizers', async () => {
        for (const { kind, write } of writable()) {
          const object = write.object('seven');
          await through('POST', pathOf(kind), { ...object, metadata: { ...object.metadata, finalizers: ['suite.test/hold'] } });
          const held = await through('DELETE', pathOf(kind, 'seven'));
          expect(held.status).toBeLessThan(300);
          expect((await through('GET', pathOf(kind, 'seven'))).json.metadata.deletionTimestamp).toEqual(expect.any(String));
          await through('PATCH', pathOf(kind, 'seven'), { metadata: { finalizers: null } }, { 'content-type': 'application/merge-patch+json' });
          expect((await through('GET', pathOf(kind, 'seven'))).status).toBe(404);
        }
      });

      it('watches from a list on, through the primary', async () => {
        for (const { kind, write } of writable()) {
          if (!(await verbsOf(kind)).includes('watch')) continue;
          const from = (await through('GET', pathOf(kind))).json.metadata.resourceVersion as string;
          const seen = watchUntil(under.primary, `${pathOf(kind)}?watch=1&resourceVersion=${from}&timeoutSeconds=20`, (events) => events.length >= 3);
          const created = (await through('POST', pathOf(kind), write.object('eight'))).json as KubeObject;
          const changed = structuredClone(created);
          write.change(changed);
          await through('PUT', pathOf(kind, 'eight'), changed);
          await through('DELETE', pathOf(kind, 'eight'));
          const events = await seen;
          expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
            ['ADDED', 'eight'],
            ['MODIFIED', 'eight'],
            ['DELETED', 'eight'],
          ]);
          const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
          expect([...versions].sort((a, b) => a - b)).toEqual(versions);
        }
      });

      it('watches from the present state on, and only what is selected', async () => {
        for (const { kind, write } of writable()) {
          if (!(await verbsOf(kind)).includes('watch')) continue;
          const labelled = write.object('nine');
          await through('POST', pathOf(kind), { ...labelled, metadata: { ...labelled.metadata, labels: { pick: 'me' } } });
          await through('POST', pathOf(kind), write.object('ten'));
          let begin = () => {};
          const begun = new Promise<void>((resolve) => (begin = resolve));
          const seen = watchUntil(under.primary, `${pathOf(kind)}?watch=1&labelSelector=pick%3Dme&timeoutSeconds=20`, (events) => {
            if (events.length > 0) begin();
            return events.length >= 2;
          });
          await begun;
          // It stops being selected: for this watcher it is gone.
          await through('PATCH', pathOf(kind, 'nine'), { metadata: { labels: { pick: 'other' } } }, { 'content-type': 'application/merge-patch+json' });
          expect((await seen).map(({ type, object }) => [type, object.metadata.name])).toEqual([
            ['ADDED', 'nine'],
            ['DELETED', 'nine'],
          ]);
          await through('DELETE', pathOf(kind, 'nine'));
          await through('DELETE', pathOf(kind, 'ten'));
        }
      });
    });

    describe('who may', () => {
      it('tells everybody whether it is well', async () => {
        for (const path of ['/healthz', '/livez', '/readyz']) expect(await direct('GET', path)).toMatchObject({ status: 200, text: 'ok' });
      });

      it('refuses whoever does not say who they are, and whoever lies', async () => {
        const [kind] = under.kinds as [ApiKindUnderTest];
        expect((await direct('GET', pathOf(kind))).status).toBe(403);
        expect((await direct('GET', pathOf(kind), {}, { token: 'no-such-token' })).status).toBe(401);
        // Without the primary's certificate the headers say nothing.
        expect((await direct('GET', pathOf(kind), { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' })).status).toBe(403);
      });

      it("believes the primary's certificate, and nothing the certificate itself says", async () => {
        const [kind] = under.kinds as [ApiKindUnderTest];
        const headers = { 'x-remote-user': 'somebody', 'x-remote-group': 'system:masters' };
        expect((await direct('GET', pathOf(kind), headers, under.frontProxy)).status).toBe(200);
        expect((await direct('GET', pathOf(kind), {}, under.frontProxy)).status).toBe(403);
      });

      it('takes tokens the primary knows, and asks it what their users may', async () => {
        const [kind] = under.kinds as [ApiKindUnderTest];
        expect((await direct('GET', pathOf(kind), {}, { token: under.primary.token })).status).toBe(200);
        const refused = await direct('GET', pathOf(kind), {}, { token: under.nobodyToken });
        expect(refused.status).toBe(403);
        expect(refused.json).toMatchObject({ kind: 'Status', reason: 'Forbidden', details: { group: group(), kind: kind.plural } });
        const through = await call({ ...under.primary, token: under.nobodyToken }, 'GET', pathOf(kind));
        expect(through.status).toBe(403);
      });
    });

    it('starts and stops once, however often it is told', async () => {
      await under.server.start(AbortSignal.timeout(10_000));
      expect((await direct('GET', '/healthz')).status).toBe(200);
    });
  });
}
