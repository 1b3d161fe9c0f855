import { createHmac } from 'node:crypto';
import type { Secret } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { secondsFor } from '../node/ttl-controller.js';
import { detachedSignature, signingToken } from './bootstrap-signer-controller.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const token = (data: Record<string, string>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
  type: 'bootstrap.kubernetes.io/token',
  data: Object.fromEntries(
    Object.entries({ 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true', ...data }).map(([k, v]) => [k, base64(v)]),
  ),
});

describe('bootstrap tokens', () => {
  it('sign with a JWS without its payload', () => {
    const [header = '', payload, signature] = detachedSignature('content', 'abcdef', 'secret').split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'HS256', kid: 'abcdef' });
    expect(payload).toBe('');
    expect(signature).toBe(
      createHmac('sha256', 'secret')
        .update(`${header}.${Buffer.from('content').toString('base64url')}`)
        .digest('base64url'),
    );
  });

  it('sign only when they may, and as long as they are valid', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(signingToken(token({}), now)).toEqual({ id: 'abcdef', secret: '0123456789abcdef' });
    expect(signingToken(token({ expiration: '2026-01-02T00:00:00Z' }), now)).toBeDefined();
    const bads: Record<string, string>[] = [
      { expiration: '2025-12-31T00:00:00Z' },
      { expiration: 'soon' },
      { 'usage-bootstrap-signing': 'false' },
      { 'token-id': 'other1' },
      { 'token-secret': '' },
    ];
    for (const bad of bads) expect(signingToken(token(bad), now)).toBeUndefined();
  });
});

describe('the time kubelets may keep what they have', () => {
  it.each([
    [1, 0, 0],
    [100, 0, 0],
    [101, 0, 15],
    [95, 15, 15],
    [89, 15, 0],
    [5000, 60, 300],
  ])('%i nodes, %i s now: %i s', (nodes, now, expected) => expect(secondsFor(nodes, now)).toBe(expected));
});
