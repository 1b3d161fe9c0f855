import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { loadDescriptions, lookupSchema } from '@coxswain/api';
import type { SchemaLookup } from '@coxswain/api';
import type { ServedResource } from '../registry/served-resource.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { documentParts } from './build-document.js';
import type { DocumentParts } from './build-document.js';
import { encodeV2 } from './encode-v2.js';
import { encodeV3 } from './encode-v3.js';
import { mergeV2 } from './merge-v2.js';
import type { V2Document } from './merge-v2.js';

const compress = promisify(gzip);
/** Goes up when the same resources come out differently: clients cache documents by their hash. */
const FORMAT = 1;

export type OpenApiForm = 'json' | 'protobuf';

/** A document as it is kept: compressed only. */
export interface OpenApiDocument {
  readonly gzip: Buffer;
  /** Of what went into it. */
  readonly hash: string;
}

interface GroupVersionEntry {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly ServedResource[];
  readonly hash: string;
  readonly documents: Map<OpenApiForm, Promise<OpenApiDocument>>;
}

/** A group version another server documents (APIService). */
export interface ForeignOpenApi {
  /** `apis/<group>/<version>` */
  readonly path: string;
  /** Of its v3 document; undefined: it has none. */
  readonly hash: string | undefined;
  readonly v2?: { readonly hash: string; read(): V2Document };
}

/**
 * The OpenAPI documents of what is registered. Nothing is made before somebody asks; of what was made only the compressed bytes stay,
 * as long as its resources do.
 */
export class OpenApi {
  #entries: Map<string, GroupVersionEntry> | undefined;
  #v2: Map<OpenApiForm, Promise<OpenApiDocument>> = new Map();
  #foreign: readonly ForeignOpenApi[] = [];

  constructor(
    readonly registry: ResourceRegistry,
    readonly version: string,
    readonly lookup: SchemaLookup = lookupSchema,
  ) {
    registry.onChange(() => {
      this.#v2.clear();
      this.#refresh();
    });
  }

  setForeign(foreign: readonly ForeignOpenApi[]): void {
    const hashes = (list: readonly ForeignOpenApi[]) => list.map(({ path, v2 }) => `${path} ${v2?.hash ?? ''}`).join('\n');
    if (hashes(foreign) !== hashes(this.#foreign)) this.#v2.clear();
    this.#foreign = foreign;
  }

  /** GET /openapi/v3 */
  index(): { paths: Record<string, { serverRelativeURL: string }> } {
    const entries = [...this.#current()].map(([path, { hash }]) => ({ path, hash }));
    const foreign = this.#foreign.flatMap(({ path, hash }) => (hash === undefined ? [] : [{ path, hash }]));
    const all = [...entries, ...foreign].sort((a, b) => (a.path < b.path ? -1 : 1));
    return { paths: Object.fromEntries(all.map(({ path, hash }) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }])) };
  }

  /** Hash of GET /openapi/v3/{path}; undefined when there is no such document. */
  hashOf(path: string): string | undefined {
    return this.#current().get(path)?.hash;
  }

  /** GET /openapi/v3/{path} */
  v3(path: string, form: OpenApiForm): Promise<OpenApiDocument> | undefined {
    const entry = this.#current().get(path);
    if (!entry) return undefined;
    let made = entry.documents.get(form);
    if (!made) entry.documents.set(form, (made = this.#makeV3(entry, form)));
    return made;
  }

  async #makeV3({ resources, hash }: GroupVersionEntry, form: OpenApiForm): Promise<OpenApiDocument> {
    const { paths, definitions } = await this.#parts(resources, 'v3');
    const document = {
      openapi: '3.0.0',
      info: { title: 'Kubernetes', version: this.version },
      paths,
      components: {
        schemas: definitions,
        securitySchemes: { BearerToken: { type: 'apiKey', description: 'Bearer token', name: 'authorization', in: 'header' } },
      },
    };
    return { gzip: await pack(form === 'json' ? Buffer.from(JSON.stringify(document)) : encodeV3(document)), hash };
  }

  get v2Hash(): string {
    return digest([...[...this.#current().values()].map((entry) => entry.hash), ...this.#foreign.map(({ v2 }) => v2?.hash ?? '')].join('\n'));
  }

  /** GET /openapi/v2: everything in one document. */
  v2(form: OpenApiForm): Promise<OpenApiDocument> {
    let made = this.#v2.get(form);
    if (!made) this.#v2.set(form, (made = this.#makeV2(form)));
    return made;
  }

  async #makeV2(form: OpenApiForm): Promise<OpenApiDocument> {
    const hash = this.v2Hash;
    const { paths, definitions } = await this.#parts(
      [...this.#current().values()].flatMap((entry) => entry.resources),
      'v2',
    );
    const own = { swagger: '2.0', info: { title: 'Kubernetes', version: this.version }, paths, definitions };
    const foreign = this.#foreign.flatMap(({ v2 }) => (v2 ? [v2.read()] : []));
    const document = foreign.length === 0 ? own : mergeV2(own, foreign);
    const body =
      form === 'json'
        ? Buffer.from(
            JSON.stringify({
              ...document,
              securityDefinitions: { BearerToken: { type: 'apiKey', description: 'Bearer token', name: 'authorization', in: 'header' } },
              security: [{ BearerToken: [] }],
            }),
          )
        : encodeV2(document);
    return { gzip: await pack(body), hash };
  }

  async #parts(resources: readonly ServedResource[], dialect: 'v2' | 'v3'): Promise<DocumentParts> {
    const describe = await loadDescriptions();
    return documentParts(resources, dialect, describe, [...this.#current().values()], this.lookup);
  }

  #current(): Map<string, GroupVersionEntry> {
    return this.#entries ?? this.#refresh();
  }

  /** Documents whose resources are still the same stay. */
  #refresh(): Map<string, GroupVersionEntry> {
    const before = this.#entries;
    const groups = new Map<string, ServedResource[]>();
    for (const served of this.registry.all()) {
      const { group, version } = served.definition;
      const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
      const list = groups.get(path);
      if (list) list.push(served);
      else groups.set(path, [served]);
    }
    const entries = new Map<string, GroupVersionEntry>();
    for (const [path, resources] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const old = before?.get(path);
      const same = old?.resources.length === resources.length && old.resources.every((served, i) => served === resources[i]);
      const { group, version } = (resources[0] as ServedResource).definition;
      entries.set(
        path,
        same && old
          ? old
          : {
              group,
              version,
              resources,
              hash: digest(`${FORMAT} ${this.version} ${JSON.stringify(resources.map((served) => this.#signature(served)))}`),
              documents: new Map(),
            },
      );
    }
    return (this.#entries = entries);
  }

  #signature({ definition, openApi }: ServedResource): unknown {
    const { group, version, resource, kind, namespaced, verbs, subresources, schema } = definition;
    const shape = openApi ? openApi.hash : this.lookup(schema);
    return [group, version, resource, kind, namespaced, verbs, subresources.map((sub) => ('name' in sub ? sub.name : sub.type)), shape];
  }
}

const pack = (body: Buffer): Promise<Buffer> => compress(body, { level: constants.Z_BEST_SPEED });

function digest(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}
