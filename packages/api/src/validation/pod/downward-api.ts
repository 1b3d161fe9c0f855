import { own } from '../../util/own.js';
import { invalid, notSupported, required } from '../errors.js';
import { isQualifiedName } from '../names.js';
import { addSyntax, type Sink } from '../sink.js';

const RESOURCES = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory'];

/** Every path that the downward API knows, be it in environments or in volumes. */
const KNOWN: ReadonlySet<string> = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);

const SUBSCRIPT = /^(.+?)\['(.*)'\]$/s;

/** A reference to a field of the pod; `supported` are the plain paths that may be used here. */
export function addFieldRef(
  sink: Sink,
  field: string,
  { apiVersion, fieldPath }: { readonly apiVersion?: string; readonly fieldPath: string },
  supported: readonly string[],
): void {
  if (!apiVersion) sink.push(required(`${field}.apiVersion`));
  else if (!fieldPath) sink.push(required(`${field}.fieldPath`));
  else {
    const [, path, subscript = ''] = SUBSCRIPT.exec(fieldPath) ?? [];
    const known = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath;
    const wrong = apiVersion === 'v1' ? wrongPath(fieldPath, path, known) : `unsupported pod version: ${apiVersion}`;
    if (wrong !== undefined) sink.push(invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${wrong}`));
    else if (path !== undefined) {
      const key = path === 'metadata.annotations' ? subscript.toLowerCase() : subscript;
      addSyntax(sink, field, key, isQualifiedName(key));
    } else if (!supported.includes(known)) sink.push(notSupported(`${field}.fieldPath`, known, supported));
  }
}

const SUBSCRIPTED = ['metadata.annotations', 'metadata.labels'];

function wrongPath(fieldPath: string, subscripted: string | undefined, known: string): string | undefined {
  if (subscripted !== undefined) return SUBSCRIPTED.includes(subscripted) ? undefined : `field label does not support subscript: ${fieldPath}`;
  return KNOWN.has(known) ? undefined : `field label not supported: ${fieldPath}`;
}

/** A reference to what a container may use; those of volumes name the container. */
export function addResourceFieldRef(
  sink: Sink,
  field: string,
  { containerName, resource, divisor }: { readonly containerName?: string; readonly resource: string; readonly divisor?: string },
  volume: boolean,
): void {
  if (volume && !containerName) sink.push(required(`${field}.containerName`));
  else if (!resource) sink.push(required(`${field}.resource`));
  else if (!RESOURCES.includes(resource) && !isHugePages(resource)) sink.push(notSupported(`${field}.resource`, resource, RESOURCES));
  addDivisor(sink, field, resource ?? '', divisor);
}

const isHugePages = (resource: string): boolean => resource.startsWith('requests.hugepages-') || resource.startsWith('limits.hugepages-');

const SIZES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];
const OF_SIZE: Readonly<Record<string, string>> = {
  'limits.memory': 'memory',
  'requests.memory': 'memory',
  'limits.ephemeral-storage': 'local ephemeral storage',
  'requests.ephemeral-storage': 'local ephemeral storage',
};

function addDivisor(sink: Sink, field: string, resource: string, divisor: string | undefined): void {
  if (divisor === undefined || divisor === '0') return;
  const at = `${field}.divisor`;
  if (resource === 'limits.cpu' || resource === 'requests.cpu') {
    if (divisor !== '1m' && divisor !== '1') sink.push(invalid(at, resource, "only divisor's values 1m and 1 are supported with the cpu resource"));
    return;
  }
  const what = isHugePages(resource) ? 'hugepages' : own(OF_SIZE, resource);
  if (what !== undefined && !SIZES.includes(divisor)) {
    sink.push(invalid(at, resource, `only divisor's values ${SIZES.join(', ')} are supported with the ${what} resource`));
  }
}
