import type { UserInfo } from '@coxswain/sdk';
import type { ApiRequest } from './api-request.js';
import type { RequestInfo, ResourceInfo } from './request-info.js';

const MAX_WARNING_BYTES = 4096;

/** One request on its way through the handlers. */
export class RequestContext {
  /** For the `Warning` header. */
  readonly warnings: string[] = [];
  readonly annotations: Record<string, string> = {};
  /** Of an impersonated user: the verb that allowed it, when that was a constrained one. */
  impersonationConstraint: string | undefined;
  readonly #resource: ResourceInfo | undefined;
  #warningBytes = 0;

  constructor(
    readonly request: ApiRequest,
    readonly info: RequestInfo,
    readonly query: URLSearchParams,
    readonly user: UserInfo,
    readonly auditId: string,
    /** Milliseconds since the epoch. */
    readonly receivedAt: number,
  ) {
    const { resource } = info;
    this.#resource = resource?.resource === 'namespaces' && resource.group === '' ? { ...resource, namespace: '' } : resource;
  }

  /**
   * Only for resource requests. A namespace is not inside itself here, although authorization sees it so (a Role in the namespace
   * may grant reading it): that is in `info`.
   */
  get resource(): ResourceInfo {
    const resource = this.#resource;
    if (!resource) throw new Error(`${this.info.path} is not a resource path`);
    return resource;
  }

  warn(message: string): void {
    if (this.warnings.includes(message)) return;
    this.#warningBytes += message.length;
    if (this.#warningBytes <= MAX_WARNING_BYTES) this.warnings.push(message);
  }

  get userAgent(): string {
    const value = this.request.headers['user-agent'];
    return typeof value === 'string' ? value : '';
  }
}
