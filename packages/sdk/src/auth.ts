import { token } from './token.js';

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What an authenticator may look at. Header names are lower case. */
export interface AuthenticationRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The verified client certificate (DER) when the connection has one. */
  readonly peerCertificate?: {
    readonly subject: { readonly CN?: string; readonly O?: readonly string[]; readonly UID?: string };
    readonly raw: Uint8Array;
    readonly notAfter: number;
  };
  readonly remoteAddress?: string;
  /** Audiences the API server accepts. */
  readonly audiences: readonly string[];
}

export type AuthenticationResult =
  /** Not mine: ask the next one. */
  | { readonly type: 'none' }
  | { readonly type: 'user'; readonly user: UserInfo; readonly audiences?: readonly string[] }
  /** Mine, and refused. The others are still asked; if nobody accepts, the request is refused with 401. */
  | { readonly type: 'failed'; readonly message: string };

export interface Authenticator {
  readonly name: string;
  authenticate(request: AuthenticationRequest, signal: AbortSignal): Promise<AuthenticationResult> | AuthenticationResult;
}

export const Authenticator = token<Authenticator>('coxswain.authenticator.v1');

export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  /** A resource request, or a path outside of the API (`/healthz`). */
  readonly target:
    | {
        readonly type: 'resource';
        readonly group: string;
        readonly version: string;
        readonly resource: string;
        readonly subresource?: string;
        readonly namespace?: string;
        readonly name?: string;
        readonly fieldSelector?: string;
        readonly labelSelector?: string;
      }
    | { readonly type: 'path'; readonly path: string };
}

export interface AuthorizationResult {
  readonly decision: 'allow' | 'deny' | 'no-opinion';
  readonly reason?: string;
}

/** Asked in order until one allows or denies; nobody: denied. */
export interface Authorizer {
  readonly name: string;
  authorize(attributes: AuthorizationAttributes, signal: AbortSignal): Promise<AuthorizationResult> | AuthorizationResult;
}

export const Authorizer = token<Authorizer>('coxswain.authorizer.v1');
