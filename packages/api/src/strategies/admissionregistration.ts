import { defaultAdmissionPolicy, defaultAdmissionPolicyBinding, defaultWebhookConfiguration } from '../defaults/admissionregistration.js';
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration } from '../generated/types.js';
import {
  validateAdmissionPolicy,
  validateAdmissionPolicyBinding,
  validateAdmissionPolicyStatus,
  validateWebhookConfiguration,
} from '../validation/admissionregistration.js';
import type { StatusStrategy, StrategyParts } from './lifecycle.js';

export const webhookConfigurationStrategy: StrategyParts = {
  generationOf: ['webhooks'],
  default: (object) => defaultWebhookConfiguration(object as ValidatingWebhookConfiguration),
  validate: (object, old) => validateWebhookConfiguration(object as ValidatingWebhookConfiguration, old as ValidatingWebhookConfiguration | undefined),
  allowUnconditionalUpdate: false,
};

export const admissionPolicyStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultAdmissionPolicy(object as ValidatingAdmissionPolicy),
  validate: (object, old) => validateAdmissionPolicy(object as ValidatingAdmissionPolicy, old as ValidatingAdmissionPolicy | undefined),
  allowUnconditionalUpdate: false,
};

export const admissionPolicyBindingStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultAdmissionPolicyBinding(object as ValidatingAdmissionPolicyBinding),
  validate: (object) => validateAdmissionPolicyBinding(object as ValidatingAdmissionPolicyBinding),
  allowUnconditionalUpdate: false,
};

export const admissionPolicyStatusStrategy: StatusStrategy = {
  validate: (object) => validateAdmissionPolicyStatus(object as ValidatingAdmissionPolicy),
};
