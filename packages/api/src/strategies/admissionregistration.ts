import { defaultAdmissionPolicy, defaultAdmissionPolicyBinding, defaultWebhookConfiguration } from '../defaults/admissionregistration.js';
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration } from '../generated/types.js';
import { validateAdmissionPolicy, validateAdmissionPolicyBinding, validateWebhookConfiguration } from '../validation/admissionregistration.js';
import type { StrategyParts } from './lifecycle.js';

export const webhookConfigurationStrategy: StrategyParts = {
  generationOf: ['webhooks'],
  default: (object) => defaultWebhookConfiguration(object as ValidatingWebhookConfiguration),
  validate: (object) => validateWebhookConfiguration(object as ValidatingWebhookConfiguration),
  allowUnconditionalUpdate: false,
};

export const admissionPolicyStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultAdmissionPolicy(object as ValidatingAdmissionPolicy),
  validate: (object) => validateAdmissionPolicy(object as ValidatingAdmissionPolicy),
  allowUnconditionalUpdate: false,
};

export const admissionPolicyBindingStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultAdmissionPolicyBinding(object as ValidatingAdmissionPolicyBinding),
  validate: (object) => validateAdmissionPolicyBinding(object as ValidatingAdmissionPolicyBinding),
  allowUnconditionalUpdate: false,
};
