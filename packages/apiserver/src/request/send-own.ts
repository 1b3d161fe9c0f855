import type { Transport } from '@coxswain/client';

/** What the server calls itself when it writes objects of its own. */
export const OWN_USER_AGENT = 'kube-apiserver/v1.36';

/** The server writes an object of its own, a PATCH as a merge. Returns the status; throws for one that is neither a success nor among `expected`. */
export async function sendOwn(
  transport: Transport,
  method: 'DELETE' | 'PATCH' | 'POST',
  path: string,
  body: object,
  expected: readonly number[],
): Promise<number> {
  const headers = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json', 'user-agent': OWN_USER_AGENT };
  const { status, body: answer } = await transport.request({ method, path, headers, body: JSON.stringify(body) });
  if (status < 300 || expected.includes(status)) return status;
  throw new Error(`${method} ${path}: ${status} ${Buffer.from(answer).toString()}`);
}
