import type { AdmissionPlugin } from '@coxswain/sdk';
import { isFor, lookup, refuse } from '../admission-env.js';
import type { AdmissionEnv } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';

type Labels = Readonly<Record<string, string>>;

/** Labels of nodes: of namespaces that name none, and what pods of a namespace may name at all. */
export interface PodNodeSelectorSettings {
  readonly clusterDefault: Labels;
  readonly allowed: Readonly<Record<string, Labels>>;
}

const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector';

/** What is under `podNodeSelectorPluginConfig`: `clusterDefaultNodeSelector` and namespaces, each with `a=b,c=d`. Throws with what is wrong. */
export function parsePodNodeSelectorSettings(config: Readonly<Record<string, unknown>>): PodNodeSelectorSettings {
  const given = (config.podNodeSelectorPluginConfig ?? {}) as Readonly<Record<string, unknown>>;
  const allowed = Object.entries(given).map(([name, text]) => {
    const labels = typeof text === 'string' ? labelsOf(text) : undefined;
    if (!labels) throw new Error(`podNodeSelectorPluginConfig.${name}: ${JSON.stringify(text)} is not key=value,key=value`);
    return [name, labels] as const;
  });
  const { clusterDefaultNodeSelector = {}, ...namespaces } = Object.fromEntries(allowed);
  return { clusterDefault: clusterDefaultNodeSelector, allowed: namespaces };
}

/** Pods of a namespace run on the nodes its annotation selects. */
export function podNodeSelector(
  env: AdmissionEnv,
  { clusterDefault, allowed }: PodNodeSelectorSettings = { clusterDefault: {}, allowed: {} },
): AdmissionPlugin {
  return {
    name: 'PodNodeSelector',
    order: AdmissionOrder.podNodeSelector,
    handles: (request) => request.operation === 'CREATE' && isFor(request, '', 'pods'),
    admit(request) {
      const spec = request.object?.spec;
      if (!spec) return;
      const annotation = lookup(env, '', 'namespaces', '', request.namespace)?.metadata.annotations?.[ANNOTATION];
      const ofNamespace = annotation === undefined ? clusterDefault : labelsOf(annotation);
      if (!ofNamespace) refuse(request, `the annotation ${ANNOTATION} of its namespace is not key=value,key=value`);
      const own = (spec.nodeSelector ?? {}) as Labels;
      if (Object.entries(ofNamespace).some(([key, value]) => own[key] !== undefined && own[key] !== value))
        refuse(request, 'pod node label selector conflicts with its namespace node label selector');
      if (Object.keys(ofNamespace).length > 0) spec.nodeSelector = { ...own, ...ofNamespace };
    },
    validate(request) {
      const limits = allowed[request.namespace] ?? {};
      const own = Object.entries((request.object?.spec?.nodeSelector ?? {}) as Labels);
      if (Object.keys(limits).length > 0 && own.some(([key, value]) => limits[key] !== value))
        refuse(request, 'pod node label selector labels conflict with its namespace whitelist');
    },
  };
}

/** `a=b,c=d`; undefined when it is not that. */
function labelsOf(text: string): Labels | undefined {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => pair.split('=').map((part) => part.trim()));
  if (pairs.some(([key, , ...more]) => !key || more.length > 0)) return undefined;
  return Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value]));
}
