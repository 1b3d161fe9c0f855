import { KubeconfigError, parseKubeconfig, staticToken, type HttpsTransportOptions, type KubeconfigUser } from '@coxswain/client';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { WebError } from '../server/web-exchange.js';

/** What somebody signs in with. */
export type SignIn =
  | { readonly type: 'token'; readonly token: string }
  | { readonly type: 'kubeconfig'; readonly kubeconfig: string; readonly context?: string }
  | { readonly type: 'certificate'; readonly certificate: string; readonly key: string };

export type Credentials = Pick<HttpsTransportOptions, 'token' | 'cert' | 'key' | 'headers'>;

/** Check the form of what was sent; whether it is good the API server decides. Throws `WebError`. */
export function parseSignIn(body: unknown): SignIn {
  const value = (body ?? {}) as Record<string, unknown>;
  const text = (field: string): string => {
    const found = value[field];
    if (typeof found !== 'string' || found.trim() === '') throw new WebError(400, `${field} is missing`);
    return found.trim();
  };
  switch (value['type']) {
    case 'token':
      return { type: 'token', token: text('token') };
    case 'kubeconfig':
      return { type: 'kubeconfig', kubeconfig: text('kubeconfig'), ...(typeof value['context'] === 'string' ? { context: value['context'] } : {}) };
    case 'certificate':
      return { type: 'certificate', certificate: text('certificate'), key: text('key') };
    default:
      throw new WebError(400, 'type must be token, kubeconfig or certificate');
  }
}

/** Throws `WebError` with what is wrong with them. */
export function credentialsOf(signIn: SignIn): Credentials {
  switch (signIn.type) {
    case 'token':
      return bearer(signIn.token);
    case 'certificate':
      return certificate(signIn.certificate, signIn.key);
    case 'kubeconfig':
      return ofUser(userOf(signIn.kubeconfig, signIn.context));
  }
}

function bearer(token: string): Credentials {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new WebError(400, 'the token holds characters that no bearer token has');
  return { token: staticToken(token) };
}

function certificate(cert: string, key: string): Credentials {
  try {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) throw new Error('the key does not belong to the certificate');
  } catch (error) {
    throw new WebError(400, `the client certificate cannot be used: ${(error as Error).message}`);
  }
  return { cert, key };
}

function userOf(text: string, context: string | undefined): KubeconfigUser {
  try {
    const config = parseKubeconfig(text);
    const name = context ?? config['current-context'] ?? '';
    const chosen = config.contexts?.find((c) => c.name === name)?.context;
    if (!chosen) throw new KubeconfigError(name === '' ? 'it has no current-context' : `context "${name}" does not exist in it`);
    const user = config.users?.find((u) => u.name === chosen.user)?.user;
    if (!user) throw new KubeconfigError(`user "${chosen.user}" of context "${name}" does not exist in it`);
    return user;
  } catch (error) {
    if (error instanceof KubeconfigError) throw new WebError(400, `the kubeconfig cannot be used: ${error.message}`);
    throw error;
  }
}

/** Only what the file itself holds: a path in it would be one of this machine, not of the user's. */
function ofUser(user: KubeconfigUser): Credentials {
  if (user.exec || user['auth-provider']) throw new WebError(400, 'the kubeconfig gets its credentials from a program: sign in with a token instead');
  for (const field of ['client-certificate', 'client-key', 'tokenFile'] as const) {
    if (user[field]) throw new WebError(400, `the kubeconfig names a file in ${field}: embed it first (kubectl config view --flatten --raw)`);
  }
  if (user.as || user['as-groups']?.length) throw new WebError(400, 'the kubeconfig impersonates another user: sign in as that user instead');
  if (user.token) return bearer(user.token);
  const [cert, key] = [user['client-certificate-data'], user['client-key-data']];
  if (cert && key) return certificate(Buffer.from(cert, 'base64').toString('utf8'), Buffer.from(key, 'base64').toString('utf8'));
  throw new WebError(400, 'the kubeconfig has neither a token nor a client certificate for its user');
}
