import { ApiError, formatTime, successStatus } from '@coxswain/apimachinery';
import { respondKind } from '../rest/respond.js';
import type { ActionHandler } from '../rest/resource-handler.js';
import { admissionRequest } from '../rest/admission-request.js';
import { update } from '../rest/update.js';
import { parseWriteOptions } from '../rest/write-options.js';
import { RequestContext } from '../request/request-context.js';
import type { ActionEnv } from './action-env.js';
import { readActionBody } from './read-action-body.js';

const KIND = { group: '', version: 'v1', kind: 'Binding' } as const;

/** POST pods/{name}/binding (and bindings): puts a pod on a node, once. */
export function bindingAction(env: ActionEnv): ActionHandler {
  return async (context, served) => {
    if (context.info.verb !== 'create') throw ApiError.methodNotSupported(served.groupResource, context.info.verb);
    const binding = await readActionBody(context, 'Binding', ['v1']);
    const options = parseWriteOptions(context);
    const { namespace } = context.resource;
    const name = context.resource.name === '' ? (binding.metadata.name ?? '') : context.resource.name;
    if (binding.metadata.name && binding.metadata.name !== name)
      throw ApiError.badRequest(`the name of the object (${binding.metadata.name}) does not match the name on the URL (${name})`);
    const target = (binding.target ?? {}) as { kind?: string; name?: string };
    if (target.kind && target.kind !== 'Node') {
      throw ApiError.invalid(KIND, name, [
        {
          type: 'FieldValueNotSupported',
          field: 'target.kind',
          message: `Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`,
        },
      ]);
    }
    if (!target.name) throw ApiError.invalid(KIND, name, [{ type: 'FieldValueRequired', field: 'target.name', message: 'Required value' }]);
    const node = target.name;
    const pods = env.rest.registry.find('', 'v1', 'pods');
    if (!pods) throw ApiError.notFound({ group: '', resource: 'pods' }, name);
    const request = admissionRequest(context, pods, {
      operation: 'CREATE',
      subresource: 'binding',
      namespace,
      name,
      dryRun: options.dryRun,
      object: binding,
      kind: KIND,
    });
    await env.rest.admission.admit(request, () => context.request.signal);
    await env.rest.admission.validate(request, () => context.request.signal);
    const conflict = (why: string) => ApiError.conflict({ group: '', resource: 'pods/binding' }, name, why);
    const info = { ...context.info, resource: { group: '', version: 'v1', resource: 'pods', namespace, name, subresource: 'binding', rest: '' } };
    const podContext = new RequestContext(context.request, info, context.query, context.user, context.auditId, context.receivedAt);
    await update(
      env.rest,
      podContext,
      pods,
      {
        subresource: 'binding',
        strategy: {},
        managed: true,
        patch: true,
        kind: KIND,
        transform(pod) {
          const { uid, resourceVersion, annotations, labels } = binding.metadata;
          if (uid && uid !== pod.metadata.uid) throw conflict(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`);
          if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion)
            throw conflict(
              `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`,
            );
          if (pod.metadata.deletionTimestamp) throw conflict(`pod ${name} is being deleted, cannot be assigned to a host`);
          if (pod.spec?.nodeName) throw conflict(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
          if (pod.spec?.schedulingGates?.length) throw conflict(`pod ${name} has non-empty .spec.schedulingGates`);
          const time = formatTime(env.rest.clock.now());
          const conditions = ((pod.status?.conditions ?? []) as { type: string }[]).filter((condition) => condition.type !== 'PodScheduled');
          const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: time };
          const metadata = {
            ...pod.metadata,
            ...(annotations ? { annotations: { ...pod.metadata.annotations, ...annotations } } : {}),
            ...(labels ? { labels: { ...pod.metadata.labels, ...labels } } : {}),
          };
          // What was expected has come about.
          const { nominatedNodeName: _expected, ...status } = pod.status ?? {};
          return { ...pod, metadata, spec: { ...pod.spec, nodeName: node }, status: { ...status, conditions: [...conditions, scheduled] } };
        },
      },
      options,
    );
    return respondKind(context, 201, successStatus());
  };
}
