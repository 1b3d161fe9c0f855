import type { StateStore } from '@coxswain/sdk';
import type { KubeletLocator } from '../proxy/kubelet-location.js';
import type { ActionHandler } from '../rest/resource-handler.js';
import type { ActionEnv } from './action-env.js';
import { bindingAction } from './binding.js';
import { componentStatusAction } from './component-status.js';
import { evictionAction } from './eviction.js';
import { execAction, logAction, portForwardAction } from './pod-streams.js';
import { nodeProxyAction, podProxyAction, serviceProxyAction } from './proxies.js';
import { reviewActions } from './reviews.js';
import { tokenRequestAction } from './token-request.js';

/** Every handler a definition names: `resource/subresource`, or what a virtual resource is called. */
export function actionHandlers(env: ActionEnv, kubelets: KubeletLocator, store: StateStore): ReadonlyMap<string, ActionHandler> {
  const binding = bindingAction(env);
  return new Map<string, ActionHandler>([
    ...reviewActions(env),
    ['binding', binding],
    ['componentstatus', componentStatusAction(env.rest, store)],
    ['pods/binding', binding],
    ['pods/eviction', evictionAction(env)],
    ['pods/log', logAction(kubelets)],
    ['pods/exec', execAction(env, kubelets, 'exec')],
    ['pods/attach', execAction(env, kubelets, 'attach')],
    ['pods/portforward', portForwardAction(env, kubelets)],
    ['pods/proxy', podProxyAction(env)],
    ['services/proxy', serviceProxyAction(env)],
    ['nodes/proxy', nodeProxyAction(env, kubelets)],
    ['serviceaccounts/token', tokenRequestAction(env)],
  ]);
}
