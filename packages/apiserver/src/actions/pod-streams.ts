import { type KubeObject, timeProblem } from '@coxswain/api';
import { ApiError, genericServerResponse, parseTime } from '@coxswain/apimachinery';
import { isWebSocket } from '../http/websocket.js';
import type { RequestContext } from '../request/request-context.js';
import { admissionRequest } from '../rest/admission-request.js';
import type { ActionHandler } from '../rest/resource-handler.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import type { KubeletLocator } from '../proxy/kubelet-location.js';
import { passThrough } from '../proxy/pass-through.js';
import { readWebSocket } from '../proxy/read-websocket.js';
import type { ActionEnv } from './action-env.js';

interface Container {
  readonly name: string;
}

/** pods/{name}/log: the kubelet's container log, as a stream. */
export function logAction(kubelets: KubeletLocator): ActionHandler {
  return async (context, served) => {
    const pod = podOf(context, served);
    const { query } = context;
    const container = chooseContainer(pod, query.get('container') ?? '');
    checkLogOptions(query, pod.metadata.name ?? '');
    const nodeName = pod.spec?.nodeName as string | undefined;
    if (!nodeName) return { type: 'bytes', status: 204, contentType: '', body: Buffer.alloc(0) };
    const passed = new URLSearchParams();
    for (const name of ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream']) {
      const value = query.get(name);
      if (value !== null && value !== '') passed.set(name, value);
    }
    const suffix = passed.size > 0 ? `?${passed}` : '';
    const { namespace, name } = pod.metadata;
    const backend = kubelets.locate(nodeName, `/containerLogs/${namespace}/${name}/${container}${suffix}`);
    const { raw } = context.request;
    const refusal = (code: number, text: string) => logRefusal(served, name ?? '', code, text);
    if (raw?.upgrade && isWebSocket(raw.headers)) return readWebSocket(context.request, raw, raw.upgrade, backend, refusal);
    return passThrough(context.request, backend, { headers: { accept: '*/*' }, refusal });
  };
}

/** The kubelet answers in plain text; clients of the API expect a Status. */
function logRefusal(served: ServedResource, name: string, code: number, text: string): ApiError {
  if (code === 400) return ApiError.badRequest(text);
  if (code === 404) return genericServerResponse({ code, method: 'GET', resource: served.groupResource, name, serverMessage: text });
  return ApiError.internalError(text);
}

/** pods/{name}/exec and attach: streams to and from a process, tunnelled to the kubelet. */
export function execAction(env: ActionEnv, kubelets: KubeletLocator, kind: 'exec' | 'attach'): ActionHandler {
  return async (context, served) => {
    const pod = podOf(context, served);
    const { query } = context;
    const container = chooseContainer(pod, query.get('container') ?? '');
    const stdin = isTrue(query, 'stdin');
    const stdout = isTrue(query, 'stdout');
    const stderr = isTrue(query, 'stderr');
    const tty = isTrue(query, 'tty');
    if (!stdin && !stdout && !stderr) throw ApiError.badRequest('you must specify at least 1 of stdin, stdout, stderr');
    if (kind === 'exec' && query.getAll('command').length === 0) throw ApiError.badRequest('you must specify at least 1 command for the container');
    await connect(env, context, served, kind, kind === 'exec' ? 'PodExecOptions' : 'PodAttachOptions');
    const passed = new URLSearchParams();
    // The kubelet's own names for the streams.
    if (stdin) passed.set('input', '1');
    if (stdout) passed.set('output', '1');
    if (stderr && !tty) passed.set('error', '1');
    if (tty) passed.set('tty', '1');
    for (const command of query.getAll('command')) passed.append('command', command);
    const { namespace, name } = pod.metadata;
    return passThrough(context.request, kubelets.locate(nodeOf(pod), `/${kind}/${namespace}/${name}/${container}?${passed}`));
  };
}

/** pods/{name}/portforward */
export function portForwardAction(env: ActionEnv, kubelets: KubeletLocator): ActionHandler {
  return async (context, served) => {
    const pod = podOf(context, served);
    await connect(env, context, served, 'portforward', 'PodPortForwardOptions');
    const ports = context.query.getAll('ports');
    const suffix = ports.length > 0 ? `?${new URLSearchParams(ports.map((port): [string, string] => ['port', port]))}` : '';
    const { namespace, name } = pod.metadata;
    return passThrough(context.request, kubelets.locate(nodeOf(pod), `/portForward/${namespace}/${name}${suffix}`));
  };
}

/** Admission of a connection. */
export async function connect(env: ActionEnv, context: RequestContext, served: ServedResource, subresource: string, kind: string): Promise<void> {
  const { namespace, name } = context.resource;
  const object: KubeObject = { kind, apiVersion: 'v1', metadata: {} };
  const request = admissionRequest(context, served, {
    operation: 'CONNECT',
    subresource,
    namespace,
    name,
    dryRun: false,
    object,
    kind: { group: '', version: 'v1', kind },
  });
  await env.rest.admission.admit(request, () => context.request.signal);
  await env.rest.admission.validate(request, () => context.request.signal);
}

function podOf(context: RequestContext, served: ServedResource): KubeObject {
  const { namespace, name } = context.resource;
  const pod = (served.storage as ResourceStorage).cache.get(namespace, name)?.object;
  if (!pod) throw ApiError.notFound(served.groupResource, name);
  return pod;
}

function nodeOf(pod: KubeObject): string {
  const name = pod.spec?.nodeName as string | undefined;
  if (!name) throw ApiError.badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return name;
}

function chooseContainer(pod: KubeObject, asked: string): string {
  const containers = (pod.spec?.containers ?? []) as Container[];
  const init = (pod.spec?.initContainers ?? []) as Container[];
  const ephemeral = (pod.spec?.ephemeralContainers ?? []) as Container[];
  const podName = pod.metadata.name;
  if (asked !== '') {
    if ([...containers, ...init, ...ephemeral].some((container) => container.name === asked)) return asked;
    throw ApiError.badRequest(`container ${asked} is not valid for pod ${podName}`);
  }

  if (containers.length === 1) return (containers[0] as Container).name;
  const names = (list: readonly Container[]) => `[${list.map((container) => container.name).join(' ')}]`;
  const more = `${init.length > 0 ? ` or one of the init containers: ${names(init)}` : ''}${ephemeral.length > 0 ? ` or one of the ephemeral containers: ${names(ephemeral)}` : ''}`;
  throw ApiError.badRequest(`a container name must be specified for pod ${podName}, choose one of: ${names(containers)}${more}`);
}

const LOG_STREAMS: readonly string[] = ['All', 'Stderr', 'Stdout'];

function checkLogOptions(query: URLSearchParams, pod: string): void {
  const bad = (field: string, value: string, why: string) =>
    ApiError.invalid({ group: '', kind: 'PodLogOptions' }, pod, [{ type: 'FieldValueInvalid', field, message: `Invalid value: ${value}: ${why}` }]);
  const whole = (name: string, min: number, why: string) => {
    const value = query.get(name);
    if (!value) return;
    if (!/^[-+]?\d+$/.test(value)) throw ApiError.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    if (Number(value) < min) throw bad(name, value, why);
  };
  const since = query.get('sinceTime');
  if (since && parseTime(since) === undefined) throw ApiError.badRequest(timeProblem(since, false));
  whole('tailLines', 0, 'must be greater than or equal to 0');
  whole('limitBytes', 1, 'must be greater than 0');
  whole('sinceSeconds', 1, 'must be greater than 0');
  const stream = query.get('stream');
  if (stream && !LOG_STREAMS.includes(stream)) {
    const supported = LOG_STREAMS.map((name) => JSON.stringify(name)).join(', ');
    throw ApiError.invalid({ group: '', kind: 'PodLogOptions' }, pod, [
      { type: 'FieldValueNotSupported', field: 'stream', message: `Unsupported value: ${JSON.stringify(stream)}: supported values: ${supported}` },
    ]);
  }
  if (query.get('sinceSeconds') && since) {
    throw ApiError.invalid({ group: '', kind: 'PodLogOptions' }, pod, [
      { type: 'FieldValueForbidden', field: '', message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified' },
    ]);
  }
}

function isTrue(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== 'false' && value !== '0';
}
