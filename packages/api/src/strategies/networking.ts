import type { ResourceStrategy } from '../definition.js';
import { defaultIngressClass, defaultNetworkPolicy } from '../defaults/others.js';
import type { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR } from '../generated/types.js';
import { validateIngress, validateIngressClass, validateIngressClassUpdate, validateIngressStatus } from '../validation/ingress.js';
import { isIPName } from '../validation/ip.js';
import { validateNetworkPolicy } from '../validation/network-policy.js';
import { validateIPAddress, validateIPAddressUpdate, validateServiceCIDR, validateServiceCIDRUpdate } from '../validation/service-cidr.js';
import type { StrategyParts } from './lifecycle.js';

export const ingressStrategy: StrategyParts = {
  generationOf: ['spec'],
  validate: (object) => validateIngress(object as Ingress),
};

export const ingressStatusStrategy: ResourceStrategy = { validate: (object) => validateIngressStatus(object as Ingress) };

export const ingressClassStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultIngressClass(object as IngressClass),
  validate: (object) => validateIngressClass(object as IngressClass),
  validateUpdate: (object, old) => validateIngressClassUpdate(object as IngressClass, old as IngressClass),
};

export const networkPolicyStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultNetworkPolicy(object as NetworkPolicy),
  validate: (object) => validateNetworkPolicy(object as NetworkPolicy),
};

export const ipAddressStrategy: StrategyParts = {
  validateName: isIPName,
  validate: (object) => validateIPAddress(object as IPAddress),
  validateUpdate: (object, old) => validateIPAddressUpdate(object as IPAddress, old as IPAddress),
};

export const serviceCIDRStrategy: StrategyParts = {
  validate: (object) => validateServiceCIDR(object as ServiceCIDR),
  validateUpdate: (object, old) => validateServiceCIDRUpdate(object as ServiceCIDR, old as ServiceCIDR),
};
