export { type CompiledDirection, type CompiledPolicy, compilePolicy } from './compile-policy.js';
export { networkPolicy } from './network-policy.js';
export { NetworkPolicyAddon, type NetworkPolicyAddonOptions } from './policy-addon.js';
export { PolicyEngine, type PolicyEngineOptions } from './policy-engine.js';
export { type PolicyEvent, PolicyModel } from './policy-model.js';
