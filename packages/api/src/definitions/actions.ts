import type { Subresource } from '../definition.js';

/** A streaming subresource of pods (exec, portforward): GET and POST, taking an options type. */
export const connect = (name: string, kind: string): Subresource => ({
  type: 'action',
  name,
  verbs: ['create', 'get'],
  kind: { group: '', version: 'v1', kind },
  http: ['GET', 'POST'],
});

/** The HTTP proxy of pods, services and nodes: every method, any path below. */
export const proxy = (kind: string): Subresource => ({
  type: 'action',
  name: 'proxy',
  verbs: ['create', 'delete', 'get', 'patch', 'update'],
  kind: { group: '', version: 'v1', kind },
  http: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  path: true,
});
