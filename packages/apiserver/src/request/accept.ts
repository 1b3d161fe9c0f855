import { ApiError } from '@coxswain/apimachinery';

/** What the client wants back. */
export interface Accepted {
  readonly format: 'json' | 'yaml' | 'protobuf';
  /** How objects are shown. */
  readonly as: 'object' | 'Table' | 'PartialObjectMetadata' | 'APIGroupDiscoveryList';
  /** Of the shape: `v1`, `v1beta1`, `v2`. */
  readonly version: string;
}

export interface AcceptOptions {
  readonly tables: boolean;
  readonly partial: boolean;
  /** Whole objects have a protobuf form. Metadata alone always has one. */
  readonly protobuf: boolean;
  /** A stream of events: not in YAML. */
  readonly stream?: boolean;
}

const JSON_OBJECT: Accepted = { format: 'json', as: 'object', version: '' };
const YAML_OBJECT: Accepted = { format: 'yaml', as: 'object', version: '' };
const PROTOBUF_OBJECT: Accepted = { format: 'protobuf', as: 'object', version: '' };
const MAX_CACHED = 500;

export const SUPPORTED_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const;

interface Clause {
  readonly type: string;
  readonly quality: number;
  readonly parameters: Readonly<Record<string, string>>;
}

const parsed = new Map<string, readonly Clause[]>();

/** For answers whose kind is not the resource's, and for errors: the wanted format if it is one we know, else JSON. */
export function formatOf(header: string | string[] | undefined): Accepted {
  if (typeof header !== 'string' || header === '' || header === 'application/json' || header === '*/*') return JSON_OBJECT;
  for (const { type } of clausesOf(header)) {
    const plain = plainOf(type);
    if (plain) return plain;
  }
  return JSON_OBJECT;
}

/** Pick the first acceptable media type by quality and order; throws 406. An absent header means JSON. */
export function negotiate(header: string | undefined, options: AcceptOptions): Accepted {
  if (header === undefined || header === '' || header === 'application/json' || header === '*/*') return JSON_OBJECT;
  for (const clause of clausesOf(header)) {
    const found = accept(clause, options);
    if (found) return found;
  }
  throw ApiError.notAcceptable(options.protobuf ? SUPPORTED_TYPES : SUPPORTED_TYPES.slice(0, 2));
}

/** All clauses, best first. */
export function clausesOf(header: string): readonly Clause[] {
  const known = parsed.get(header);
  if (known) return known;
  const clauses = header
    .split(',')
    .map(parseClause)
    .filter((clause) => clause.quality > 0);
  // Array.sort is stable: equal qualities keep the client's order.
  clauses.sort((a, b) => b.quality - a.quality);
  if (parsed.size >= MAX_CACHED) parsed.clear();
  parsed.set(header, clauses);
  return clauses;
}

function parseClause(text: string): Clause {
  const [type = '', ...rest] = text.split(';');
  const parameters: Record<string, string> = {};
  for (const parameter of rest) {
    const eq = parameter.indexOf('=');
    if (eq > 0) parameters[parameter.slice(0, eq).trim().toLowerCase()] = parameter.slice(eq + 1).trim();
  }
  const quality = parameters.q === undefined ? 1 : Number(parameters.q);
  return { type: type.trim().toLowerCase(), quality: Number.isNaN(quality) ? 0 : quality, parameters };
}

function accept({ type, parameters }: Clause, options: AcceptOptions): Accepted | undefined {
  const plain = plainOf(type);
  if (!plain || (options.stream && plain.format === 'yaml')) return undefined;
  const { as } = parameters;
  if (as === undefined) return plain.format === 'protobuf' && !options.protobuf ? undefined : plain;
  const version = parameters.v ?? '';
  if (parameters.g !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined;
  if (as === 'Table' && options.tables && plain.format !== 'protobuf') return { format: plain.format, as, version };
  if ((as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') && options.partial)
    return { format: plain.format, as: 'PartialObjectMetadata', version };
  return undefined;
}

function plainOf(type: string): Accepted | undefined {
  switch (type) {
    case 'application/json':
    case '*/*':
    case 'application/*':
      return JSON_OBJECT;
    case 'application/yaml':
      return YAML_OBJECT;
    case 'application/vnd.kubernetes.protobuf':
      return PROTOBUF_OBJECT;
    default:
      return undefined;
  }
}
