import type { Component } from '../component.js';
import { token } from '../token.js';

/**
 * A secondary, custom API server the primary proxies to. It serves Kubernetes REST over TLS on `endpoint`, and is announced as an
 * APIService per group version. `defineApiServer` and an `ApiServerRuntime` make one; anything else that keeps this contract
 * (`apiServerSuite` in @coxswain/sdk-testing) does as well.
 */
export interface CustomApiServer extends Component {
  readonly groupVersions: readonly {
    readonly group: string;
    readonly version: string;
    readonly groupPriorityMinimum: number;
    readonly versionPriority: number;
  }[];
  /** Where it listens, and the CA to check it with (PEM); known once started. */
  readonly endpoint: { readonly url: string; readonly caBundle: string };
}

export const CustomApiServer = token<CustomApiServer>('coxswain.api-server.v1');
