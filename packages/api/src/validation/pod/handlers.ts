import type { HTTPGetAction, Lifecycle, LifecycleHandler, PodSpec, Probe } from '../../generated/types.js';
import { NEGATIVE } from '../common.js';
import { forbidden, invalid, notSupported, required } from '../errors.js';
import { isHTTPHeaderName, isPortName, isPortNumber } from '../names.js';
import { addSyntax, type Sink } from '../sink.js';
import { validateStopSignal } from './stop-signals.js';

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>;

const KINDS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function addHandler(sink: Sink, field: string, handler: Handler, gracePeriod: number | undefined): void {
  let found = false;
  for (const kind of KINDS) {
    if (!handler[kind]) continue;
    if (found) sink.push(forbidden(`${field}.${kind}`, 'may not specify more than 1 handler type'));
    else addAction(sink, `${field}.${kind}`, kind, handler, gracePeriod);
    found = true;
  }
  if (!found) sink.push(required(field, 'must specify a handler type'));
}

function addAction(sink: Sink, field: string, kind: (typeof KINDS)[number], handler: Handler, gracePeriod: number | undefined): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (kind === 'exec' && (exec?.command ?? []).length === 0) sink.push(required(`${field}.command`));
  if (kind === 'httpGet' && httpGet) addHttpGet(sink, field, httpGet);
  if (kind === 'tcpSocket') addPort(sink, `${field}.port`, tcpSocket?.port);
  if (kind === 'grpc') addPort(sink, `${field}.port`, grpc?.port);
  if (kind === 'sleep' && sleep && gracePeriod !== undefined && (sleep.seconds < 0 || sleep.seconds > gracePeriod)) {
    sink.push(invalid(field, sleep.seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`));
  }
}

function addHttpGet(sink: Sink, field: string, { path, port, scheme = '', httpHeaders }: HTTPGetAction): void {
  if (!path) sink.push(required(`${field}.path`));
  addPort(sink, `${field}.port`, port);
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') sink.push(notSupported(`${field}.scheme`, scheme, ['HTTP', 'HTTPS']));
  if (httpHeaders) for (const { name = '' } of httpHeaders) addSyntax(sink, `${field}.httpHeaders`, name, isHTTPHeaderName(name));
}

function addPort(sink: Sink, field: string, port: number | string | undefined): void {
  if (typeof port === 'string') addSyntax(sink, field, port, isPortName(port));
  else for (const message of isPortNumber(port ?? 0)) sink.push(invalid(field, port ?? 0, message));
}

const COUNTS = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const;

function addProbe(sink: Sink, field: string, probe: Probe, gracePeriod: number | undefined): void {
  addHandler(sink, field, probe, gracePeriod);
  for (const key of COUNTS) {
    const value = probe[key];
    if (value !== undefined && value < 0) sink.push(invalid(`${field}.${key}`, value, NEGATIVE));
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) sink.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
}

/** Liveness and startup probes succeed at once or not at all; failing readiness ends nothing. */
export function addProbes(
  sink: Sink,
  field: string,
  { livenessProbe, readinessProbe, startupProbe }: { readonly livenessProbe?: Probe; readonly readinessProbe?: Probe; readonly startupProbe?: Probe },
  gracePeriod: number | undefined,
): void {
  if (livenessProbe) addOnceProbe(sink, `${field}.livenessProbe`, livenessProbe, gracePeriod);
  if (readinessProbe) {
    addProbe(sink, `${field}.readinessProbe`, readinessProbe, gracePeriod);
    const grace = readinessProbe.terminationGracePeriodSeconds;
    if (grace !== undefined) sink.push(invalid(`${field}.readinessProbe.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'));
  }
  if (startupProbe) addOnceProbe(sink, `${field}.startupProbe`, startupProbe, gracePeriod);
}

function addOnceProbe(sink: Sink, field: string, probe: Probe, gracePeriod: number | undefined): void {
  addProbe(sink, field, probe, gracePeriod);
  const { successThreshold = 0 } = probe;
  if (successThreshold !== 1) sink.push(invalid(`${field}.successThreshold`, successThreshold, 'must be 1'));
}

export function addLifecycle(sink: Sink, field: string, lifecycle: Lifecycle | undefined, spec: Pick<PodSpec, 'terminationGracePeriodSeconds' | 'os'>): void {
  if (!lifecycle) return;
  const { terminationGracePeriodSeconds: gracePeriod, os } = spec;
  const { postStart, preStop, stopSignal } = lifecycle;
  if (postStart) addHandler(sink, `${field}.postStart`, postStart, gracePeriod);
  if (preStop) addHandler(sink, `${field}.preStop`, preStop, gracePeriod);
  if (stopSignal !== undefined) sink.push(...validateStopSignal(stopSignal, `${field}.stopSignal`, os));
}
