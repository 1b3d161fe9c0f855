import { createHash } from 'node:crypto';

/** A chain's or set's name: a kind, a hash that makes it unique, and the Service to read it by. */
export function objectName(kind: string, key: string, suffix = ''): string {
  const hash = createHash('sha256').update(`${key}${suffix}`).digest('hex').slice(0, 8);
  return `${kind}-${hash}-${key.replace(/[^a-zA-Z0-9./_-]/g, '/')}`;
}
