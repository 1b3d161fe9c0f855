import { expect, it } from 'vitest';
import { networkProblem } from './network-problem.js';

it.each([
  ['ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:80', '10.0.0.1', 'dial tcp 10.0.0.1:80: connect: connection refused'],
  ['EHOSTUNREACH', 'connect EHOSTUNREACH fd00::1:80', 'fd00::1', 'dial tcp [fd00::1]:80: connect: no route to host'],
  ['ENOTFOUND', 'getaddrinfo ENOTFOUND a.b', 'a.b', 'dial tcp: lookup a.b: no such host'],
  [
    'EPROTO',
    'write EPROTO 80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:ssl.c:354:',
    'a',
    'http: server gave HTTP response to HTTPS client',
  ],
  ['ECONNRESET', 'socket hang up', 'a', 'EOF'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', 'a', 'self-signed certificate'],
])('%s in upstream’s words', (code, message, host, said) => {
  expect(networkProblem(Object.assign(new Error(message), { code }), { host, port: 80 })).toBe(said);
});
