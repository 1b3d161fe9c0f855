import { describe, expect, it } from 'vitest';
import { forwardedHeaders, returnedHeaders } from './forwarded-headers.js';

describe('headers through the dashboard', () => {
  it('no cookie, and nothing that says who asks, reaches the API server', () => {
    const asked = { accept: 'text/plain', range: 'bytes=-9', cookie: 'a=b', authorization: 'Bearer x', 'impersonate-user': 'root', 'x-remote-user': 'root' };
    expect(forwardedHeaders(asked)).toEqual({ accept: 'text/plain', range: 'bytes=-9', 'user-agent': expect.stringMatching(/^coxswain-dashboard\//) });
  });

  it('the answer to a range says which it is; cookies and lax policies stay behind', () => {
    const answered = { 'content-type': 'text/plain', 'content-range': 'bytes 0-92/93', 'set-cookie': 'a=b', 'content-security-policy': "default-src '*'" };
    expect(returnedHeaders(answered)).toEqual({
      'content-type': 'text/plain',
      'content-range': 'bytes 0-92/93',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });
});
