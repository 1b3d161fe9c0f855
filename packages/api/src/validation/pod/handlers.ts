import type { FieldError } from '../../field-error.js';
import type { Lifecycle, LifecycleHandler, PodSpec, Probe } from '../../generated/types.js';
import { each, nonNegative, optionalEnum, requiredText, validatePortNumOrName } from '../common.js';
import { forbidden, invalid, invalids, required } from '../errors.js';
import { isHTTPHeaderName, isPortNumber } from '../names.js';
import { validateStopSignal } from './stop-signals.js';

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>;

function validateHandler(handler: Handler, field: string, gracePeriod: number | undefined): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  const only = (kind: string, check: () => FieldError[]): void => {
    if (count++ > 0) errors.push(forbidden(`${field}.${kind}`, 'may not specify more than 1 handler type'));
    else errors.push(...check());
  };
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec) only('exec', () => ((exec.command ?? []).length === 0 ? [required(`${field}.exec.command`)] : []));
  if (httpGet) {
    only('httpGet', () => [
      ...requiredText(httpGet.path, `${field}.httpGet.path`),
      ...validatePortNumOrName(httpGet.port, `${field}.httpGet.port`),
      ...optionalEnum(httpGet.scheme, `${field}.httpGet.scheme`, ['HTTP', 'HTTPS']),
      ...each(httpGet.httpHeaders, `${field}.httpGet.httpHeaders`, ({ name }, path) => invalids(`${path}.name`, name, isHTTPHeaderName(name))),
    ]);
  }
  if (tcpSocket) only('tcpSocket', () => validatePortNumOrName(tcpSocket.port, `${field}.tcpSocket.port`));
  if (grpc) only('grpc', () => invalids(`${field}.grpc.port`, grpc.port, isPortNumber(grpc.port)));
  if (sleep) {
    only('sleep', () => {
      const max = gracePeriod ?? 30;
      if (sleep.seconds >= 0 && sleep.seconds <= max) return [];
      return [invalid(`${field}.sleep`, sleep.seconds, `must be non-negative and less than terminationGracePeriodSeconds (${max})`)];
    });
  }
  if (count === 0) errors.push(required(field, 'must specify a handler type'));
  return errors;
}

export function validateProbe(probe: Probe | undefined, field: string): FieldError[] {
  if (!probe) return [];
  const errors = validateHandler(probe, field, undefined);
  for (const key of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    errors.push(...nonNegative(probe[key], `${field}.${key}`));
  }
  if (probe.terminationGracePeriodSeconds !== undefined && probe.terminationGracePeriodSeconds <= 0) {
    errors.push(invalid(`${field}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, 'must be greater than 0'));
  }
  return errors;
}

/** Liveness and startup probes succeed at once or not at all. */
export function validateOnceProbe(probe: Probe | undefined, field: string): FieldError[] {
  const errors = validateProbe(probe, field);
  if (probe && (probe.successThreshold ?? 1) !== 1) {
    errors.push(invalid(`${field}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
  return errors;
}

export function validateReadinessProbe(probe: Probe | undefined, field: string): FieldError[] {
  const errors = validateProbe(probe, field);
  if (probe?.terminationGracePeriodSeconds !== undefined) {
    errors.push(invalid(`${field}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, 'must not be set for readinessProbes'));
  }
  return errors;
}

export function validateLifecycle(lifecycle: Lifecycle | undefined, field: string, spec: Pick<PodSpec, 'terminationGracePeriodSeconds' | 'os'>): FieldError[] {
  const { terminationGracePeriodSeconds: gracePeriod, os } = spec;
  const errors: FieldError[] = [];
  if (lifecycle?.postStart) errors.push(...validateHandler(lifecycle.postStart, `${field}.postStart`, gracePeriod));
  if (lifecycle?.preStop) errors.push(...validateHandler(lifecycle.preStop, `${field}.preStop`, gracePeriod));
  errors.push(...validateStopSignal(lifecycle?.stopSignal, `${field}.stopSignal`, os));
  return errors;
}
