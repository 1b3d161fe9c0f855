/** Where a chunked list goes on: after `start` (namespace/name), as of `revision`. -1: at the newest revision. */
export interface ContinueToken {
  readonly revision: number;
  readonly start: string;
}

/** Upstream's form: base64 of {"v":"meta.k8s.io/v1","rv":N,"start":"key\0"}. */
export function encodeContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: `${token.start}\0` })).toString('base64url');
}

/** Undefined when it is not a token of ours. */
export function decodeContinue(text: string): ContinueToken | undefined {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString()) as { v?: unknown; rv?: unknown; start?: unknown };
    if (value.v !== 'meta.k8s.io/v1' || typeof value.rv !== 'number' || !Number.isSafeInteger(value.rv) || value.rv === 0) return undefined;
    if (typeof value.start !== 'string' || value.start === '' || value.start.includes('..')) return undefined;
    return { revision: value.rv, start: value.start.replace(/\0$/, '') };
  } catch {
    return undefined;
  }
}
