import { isIPv6 } from 'node:net';
import type { Backend } from './backend.js';

const CONNECTING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
};

/** Why a backend was not reached, in the words that users of upstream know, and that programs look for. */
export function networkProblem(error: unknown, { host, port }: Pick<Backend, 'host' | 'port'>): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reason = CONNECTING[code];
  if (reason) return `dial tcp ${isIPv6(host) ? `[${host}]` : host}:${port}: connect: ${reason}`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`;
  if (code === 'EPROTO' && message.includes('wrong version number')) return 'http: server gave HTTP response to HTTPS client';
  return code === 'ECONNRESET' && message === 'socket hang up' ? 'EOF' : message;
}
