import type { WebRequest } from '../server/web-exchange.js';

/** Cookies know no ports, so that two dashboards on one host need two names. */
const nameFor = (port: number) => `__Host-coxswain-${port}`;

export function sessionIdOf(request: WebRequest, port: number): string | undefined {
  const name = nameFor(port);
  for (const pair of String(request.headers.cookie ?? '').split(/; */)) {
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return undefined;
}

export const sessionCookie = (port: number, id: string) => `${nameFor(port)}=${id}; Path=/; Secure; HttpOnly; SameSite=Strict`;
export const endedCookie = (port: number) => `${nameFor(port)}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;
