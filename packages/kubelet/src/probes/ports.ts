import type { Container, IntOrString } from '@coxswain/api';

/** A port by number or by the name the container gives it. Throws when there is no such port. */
export function resolvePort(port: IntOrString, container: Container): number {
  if (typeof port === 'number') return checked(port, port);
  const named = container.ports?.find((p) => p.name === port)?.containerPort;
  return checked(named ?? Number(port), port);
}

function checked(port: number, asked: IntOrString): number {
  if (!Number.isInteger(port) || port <= 0 || port > 65535) throw new Error(`invalid port number: ${asked}`);
  return port;
}
