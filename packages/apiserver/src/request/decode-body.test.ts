import { encodeEnvelope, encodeMessage, PROTOBUF_CONTENT_TYPE, type StructSchema } from '@coxswain/api';
import type { ApiError } from '@coxswain/apimachinery';
import { describe, expect, it } from 'vitest';
import { decodeBody } from './decode-body.js';

const yaml = (text: string) => decodeBody(Buffer.from(text), 'application/yaml').value;
const refusal = (text: string): ApiError => {
  try {
    yaml(text);
  } catch (error) {
    return error as ApiError;
  }
  throw new Error('was not refused');
};

describe('YAML bodies', () => {
  it("become trees: what an alias stands for is nobody else's", () => {
    const value = yaml('a: &x {k: 1}\nb: *x\n') as { a: { k: number }; b: { k: number } };
    value.a.k = 2;
    expect(value).toEqual({ a: { k: 2 }, b: { k: 1 } });
  });

  it('are refused when a few aliases stand for more than any memory holds', () => {
    const bomb = Array.from({ length: 20 }, (_, i) => (i === 0 ? 'a0: &a0 [lol]' : `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`)).join('\n');
    expect(refusal(bomb)).toMatchObject({ code: 400, message: expect.stringContaining('excessive aliasing') });
    const long = `a: &a "${'x'.repeat(100_000)}"\nb: [${'*a,'.repeat(1000)}]`;
    expect(refusal(long)).toMatchObject({ code: 400, message: expect.stringContaining('excessive aliasing') });
  });

  it('are refused when they hold themselves', () => {
    expect(refusal('&a [*a]')).toMatchObject({ code: 400, message: expect.stringContaining('max depth') });
  });
});

it('reads a kind of a custom API server in protobuf by its own message, and by no other kind', () => {
  const message: StructSchema = { fields: { flavor: { type: { kind: 'string' }, proto: 2 } } };
  const raw = encodeMessage({ flavor: 'sour' }, message);
  const body = Buffer.from(encodeEnvelope({ apiVersion: 'kitchen.example/v1', kind: 'Soup', raw }));
  const soup = { apiVersion: 'kitchen.example/v1', kind: 'Soup', message };
  expect(decodeBody(body, PROTOBUF_CONTENT_TYPE, true, soup).value).toEqual({ apiVersion: 'kitchen.example/v1', kind: 'Soup', flavor: 'sour' });
  expect(() => decodeBody(body, PROTOBUF_CONTENT_TYPE, true, { ...soup, kind: 'Stew' })).toThrow('no kind "Soup" is registered');
});
