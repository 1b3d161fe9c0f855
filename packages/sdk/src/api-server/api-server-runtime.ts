import type { AdmissionPlugin } from '../admission.js';
import type { StateStore } from '../state-store.js';
import { token } from '../token.js';
import type { CustomApiServer } from './custom-api-server.js';
import type { ApiServerDefinition } from './define-api-server.js';

/** How one custom API server runs. */
export interface ServeApiOptions {
  /** IP address to listen on. */
  readonly address: string;
  /** 0 (the default) picks a free one: the Service's endpoints name it. */
  readonly port?: number;
  /**
   * Path of a kubeconfig for the primary: for whom to trust (the config map `extension-apiserver-authentication`), TokenReviews,
   * SubjectAccessReviews, and the announcement.
   */
  readonly kubeconfig: string;
  /** PEM. Absent: a CA and a certificate are made at every start, and announced with it. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /**
   * Keeps a Service without selector, this server's EndpointSlice and an APIService per group version in the primary. Absent:
   * somebody else announces it.
   */
  readonly announce?: {
    readonly namespace: string;
    /** Default: the definition's name. */
    readonly service?: string;
    /** Where the primary reaches this server. Default: `address`. */
    readonly address?: string;
    /** Tells the EndpointSlices of several servers of one Service apart. Default: the service. */
    readonly instance?: string;
    /** The node it runs on. Of several servers of one Service, that node asks its own. */
    readonly nodeName?: string;
  };
  /** For kinds without handlers. */
  readonly store?: StateStore;
  readonly admission?: readonly AdmissionPlugin[];
  /** Of `/readyz`, by name: undefined when well, else why not. */
  readonly checks?: Readonly<Record<string, () => string | undefined>>;
}

/**
 * Makes running API servers of definitions: the same pipeline the primary runs (decoding, defaults, validation, admission, patches,
 * server-side apply, watches, tables, discovery, OpenAPI, metrics, health). Bound by whoever composes the cluster, so that a plugin
 * need not import an API server to be one.
 */
export interface ApiServerRuntime {
  /** Several definitions: several versions or groups of one server. Throws ApiServerDefinitionError. */
  serve(definitions: ApiServerDefinition | readonly ApiServerDefinition[], options: ServeApiOptions): CustomApiServer;
}

export const ApiServerRuntime = token<ApiServerRuntime>('coxswain.api-server-runtime.v1');
