import type { UserInfo } from '@coxswain/sdk';
import { inOnePiece } from '../request/api-request.js';
import type { ApiResponse } from '../request/api-request.js';
import { mediaType } from '../request/decode-body.js';
import { decodeProtobuf } from '../protobuf/kinds.js';
import { PROTOBUF_CONTENT_TYPE } from '@coxswain/api';
import type { RequestContext } from '../request/request-context.js';
import { decide } from './audit-policy.js';
import type { AuditDecision, AuditPolicy, AuditStage } from './audit-policy.js';

export interface AuditOptions {
  readonly policy: AuditPolicy;
  /** One line of JSON, newline included. Must not throw. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The audit log: who asked for what, and what came of it, as `audit.k8s.io/v1` events. */
export class AuditLog {
  constructor(readonly options: AuditOptions) {}

  /** Undefined when the policy is not interested. */
  begin(context: RequestContext): AuditRecord | undefined {
    const decision = decide(this.options.policy, context.user, context.info);
    if (decision.level === 'None') return undefined;
    const record = new AuditRecord(this.options, decision, context);
    record.received();
    return record;
  }
}

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000Z`;
const person = ({ name, uid, groups, extra }: UserInfo) => ({ username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) });

/** One request. */
export class AuditRecord {
  #body: Buffer | undefined;
  #impersonated: UserInfo | undefined;
  #constraint: string | undefined;

  constructor(
    readonly options: AuditOptions,
    readonly decision: AuditDecision,
    readonly context: RequestContext,
  ) {
    if (decision.level === 'Metadata') return;
    // The handlers read the body through the request: what they read is what is recorded.
    const { request } = context;
    const read = request.body.bind(request);
    request.body = async () => {
      this.#body = await read();
      return this.#body;
    };
  }

  received(): void {
    this.#write('RequestReceived', undefined);
  }

  impersonated(user: UserInfo, constraint: string | undefined): void {
    this.#impersonated = user;
    this.#constraint = constraint;
  }

  /** The answer, whose stream (if it is one) is followed to its end. */
  answered(answer: ApiResponse): ApiResponse {
    // A list is read once: it is sent from what is shown of it.
    const response = this.decision.level === 'RequestResponse' ? inOnePiece(answer) : answer;
    if (response.type !== 'stream') {
      this.#write('ResponseComplete', response);
      return response;
    }
    this.#write('ResponseStarted', response);
    const { start } = response;
    return {
      ...response,
      start: (sink) => {
        sink.onClose(() => this.#write('ResponseComplete', response));
        start(sink);
      },
    };
  }

  #write(stage: AuditStage, response: ApiResponse | undefined): void {
    const { decision, context, options } = this;
    if (decision.omitStages.includes(stage)) return;
    const { request, info, user, auditId, annotations } = context;
    const { resource } = info;
    const bodies = stage === 'ResponseComplete' && decision.level !== 'Metadata';
    const requestObject = bodies && this.#body?.length ? this.#shown(parse(this.#body, request.headers['content-type'])) : undefined;
    const responseObject = bodies && decision.level === 'RequestResponse' ? this.#shown(objectOf(response)) : undefined;
    const event = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: decision.level,
      auditID: auditId,
      stage,
      requestURI: request.search === '' ? request.path : `${request.path}?${request.search}`,
      verb: info.verb,
      user: person(user),
      ...(this.#impersonated ? { impersonatedUser: person(this.#impersonated) } : {}),
      ...(this.#constraint ? { authenticationMetadata: { impersonationConstraint: this.#constraint } } : {}),
      ...(request.remoteAddress ? { sourceIPs: [request.remoteAddress] } : {}),
      ...(context.userAgent ? { userAgent: context.userAgent } : {}),
      ...(resource
        ? {
            objectRef: {
              resource: resource.resource,
              ...(resource.namespace ? { namespace: resource.namespace } : {}),
              ...(resource.name ? { name: resource.name } : {}),
              ...(resource.group ? { apiGroup: resource.group } : {}),
              apiVersion: resource.version,
              ...(resource.subresource ? { subresource: resource.subresource } : {}),
            },
          }
        : {}),
      ...(response ? { responseStatus: statusOf(response) } : {}),
      ...(requestObject === undefined ? {} : { requestObject }),
      ...(responseObject === undefined ? {} : { responseObject }),
      requestReceivedTimestamp: time(context.receivedAt),
      stageTimestamp: time(options.now()),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    };
    options.write(`${JSON.stringify(event)}\n`);
  }

  #shown(value: unknown): unknown {
    if (!this.decision.omitManagedFields || typeof value !== 'object' || value === null) return value;
    return JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === 'managedFields' ? undefined : inner)));
  }
}

function objectOf(response: ApiResponse | undefined): unknown {
  return response?.type === 'bytes' ? (response.object ?? parse(response.body, response.contentType)) : undefined;
}

function statusOf(response: ApiResponse): object {
  const failed =
    response.type === 'bytes' && response.status >= 400 ? (parse(response.body, response.contentType) as Record<string, unknown> | undefined) : undefined;
  const { status, message, reason } = failed ?? {};
  return { metadata: {}, ...(status ? { status } : {}), ...(message ? { message } : {}), ...(reason ? { reason } : {}), code: response.status };
}

/** Bodies of other types are not shown. */
function parse(body: Buffer, contentType: string | string[] | undefined): unknown {
  const type = mediaType(contentType);
  try {
    if (type === PROTOBUF_CONTENT_TYPE) return decodeProtobuf(body);
    return type === '' || type === 'application/json' || type.endsWith('+json') ? JSON.parse(body.toString()) : undefined;
  } catch {
    return undefined;
  }
}
