import { ApiError } from '@coxswain/apimachinery';
import type { AuthenticationRequest, AuthenticationResult, Authenticator, UserInfo } from '@coxswain/sdk';
import type { ApiRequest } from '../request/api-request.js';
import type { MaybePromise } from '../request/maybe-promise.js';

export const ANONYMOUS: UserInfo = Object.freeze({ name: 'system:anonymous', groups: Object.freeze(['system:unauthenticated']) });
/** Authentication is quick; making a signal for each request is not. */
const neverAborts = new AbortController().signal;
const AUTHENTICATED = 'system:authenticated';
const UNAUTHENTICATED = 'system:unauthenticated';

/** Asks the authenticators in order; the first that knows the user wins. */
export class Authentication {
  constructor(
    readonly authenticators: readonly Authenticator[],
    readonly audiences: readonly string[],
    readonly anonymous: boolean | { readonly paths: readonly string[] },
  ) {}

  /** Throws (or rejects with) 401. */
  authenticate(request: ApiRequest): MaybePromise<UserInfo> {
    if (request.caller) return withAuthenticatedGroup(request.caller.user);
    return this.#ask(new Question(request, this.audiences) as AuthenticationRequest, request, 0, undefined);
  }

  #ask(question: AuthenticationRequest, request: ApiRequest, from: number, refused: string | undefined): MaybePromise<UserInfo> {
    let failure = refused;
    for (let i = from; i < this.authenticators.length; i++) {
      const result = (this.authenticators[i] as Authenticator).authenticate(question, neverAborts);
      if (result instanceof Promise)
        return result.then((value) => this.#take(value) ?? this.#ask(question, request, i + 1, value.type === 'failed' ? value.message : failure));
      const user = this.#take(result);
      if (user) return user;
      if (result.type === 'failed') failure = result.message;
    }
    const presented = request.headers.authorization !== undefined;
    if (failure !== undefined || presented || !this.#anonymousMay(request.path)) throw ApiError.unauthorized('Unauthorized');
    return ANONYMOUS;
  }

  #anonymousMay(path: string): boolean {
    return typeof this.anonymous === 'boolean' ? this.anonymous : this.anonymous.paths.includes(path);
  }

  #take(result: AuthenticationResult): UserInfo | undefined {
    return result.type === 'user' ? withAuthenticatedGroup(result.user) : undefined;
  }
}

/** Works out what an authenticator looks at, and only that. */
class Question {
  constructor(
    readonly request: ApiRequest,
    readonly audiences: readonly string[],
  ) {}

  get headers() {
    return this.request.headers;
  }
  get peerCertificate() {
    return this.request.peerCertificate;
  }
  get remoteAddress() {
    return this.request.remoteAddress;
  }
}

const completed = new WeakMap<UserInfo, UserInfo>();

/** Everybody who proved who they are is in `system:authenticated`. The same value for the same user, so that caches can use it as a key. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED) || user.groups.includes(UNAUTHENTICATED)) return user;
  let full = completed.get(user);
  if (!full) completed.set(user, (full = { ...user, groups: [...user.groups, AUTHENTICATED] }));
  return full;
}
