import { defaultIngressClass, defaultNetworkPolicy } from '../defaults/others.js';
import type { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR } from '../generated/types.js';
import { ingressWarnings, validateIngress, validateIngressClass, validateIngressClassUpdate, validateIngressStatus } from '../validation/ingress.js';
import { ipWarnings, isIPName } from '../validation/ip.js';
import { networkPolicyWarnings, validateNetworkPolicy } from '../validation/network-policy.js';
import { validateIPAddress, validateIPAddressUpdate, validateServiceCIDR, validateServiceCIDRUpdate } from '../validation/service-cidr.js';
import type { StatusStrategy, StrategyParts } from './lifecycle.js';

export const ingressStrategy: StrategyParts = {
  generationOf: ['spec'],
  validate: (object, old) => validateIngress(object as Ingress, old as Ingress | undefined),
  warnings: (object, old) => (old ? [] : ingressWarnings(object as Ingress)),
};

export const ingressStatusStrategy: StatusStrategy = {
  validate: (object, old) => validateIngressStatus(object as Ingress, old as Ingress | undefined),
  warnings: (object) =>
    ((object as Ingress).status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) =>
      ip ? ipWarnings(ip, `status.loadBalancer.ingress[${index}].ip`) : [],
    ),
};

export const ingressClassStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultIngressClass(object as IngressClass),
  validate: (object) => validateIngressClass(object as IngressClass),
  validateUpdate: (object, old) => validateIngressClassUpdate(object as IngressClass, old as IngressClass),
};

export const networkPolicyStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultNetworkPolicy(object as NetworkPolicy),
  validate: (object, old) => validateNetworkPolicy(object as NetworkPolicy, old as NetworkPolicy | undefined),
  warnings: (object) => networkPolicyWarnings(object as NetworkPolicy),
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
