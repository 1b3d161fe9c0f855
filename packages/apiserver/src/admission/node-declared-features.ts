import { featuresToChange, type Node, type Pod } from '@coxswain/api';
import type { AdmissionPlugin } from '@coxswain/sdk';
import { isFor, lookup, refuse } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

/** A bound pod is changed only so that its node can follow: what that takes is among the node's declared features. */
export function nodeDeclaredFeatureValidator(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'NodeDeclaredFeatureValidator',
    order: AdmissionOrder.nodeDeclaredFeatureValidator,
    handles: (request) => request.operation === 'UPDATE' && (isFor(request, '', 'pods') || isFor(request, '', 'pods', 'resize')),
    validate(request) {
      const [pod, old] = [request.object as Pod | undefined, request.oldObject as Pod | undefined];
      const nodeName = pod?.spec?.nodeName;
      if (!pod || !old || !nodeName) return;
      const needed = featuresToChange(pod, old);
      if (needed.length === 0) return;
      const node = lookup(env, '', 'nodes', '', nodeName) as Node | undefined;
      if (!node) refuse(request, `node ${JSON.stringify(nodeName)} not found`);
      const missing = needed.filter((name) => !node.status?.declaredFeatures?.includes(name));
      if (missing.length > 0) refuse(request, `pod update requires features ${missing.join(', ')} which are not available on node ${JSON.stringify(nodeName)}`);
    },
  };
}
