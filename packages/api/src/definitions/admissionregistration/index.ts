import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import {
  admissionPolicyBindingStrategy,
  admissionPolicyStatusStrategy,
  admissionPolicyStrategy,
  webhookConfigurationStrategy,
} from '../../strategies/admissionregistration.js';
import { defineGroup } from '../define.js';

type Webhooks = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;
type Policy = MutatingAdmissionPolicy | ValidatingAdmissionPolicy;
type Binding = MutatingAdmissionPolicyBinding | ValidatingAdmissionPolicyBinding;

const webhookColumns = [nameColumn, column<Webhooks>('Webhooks', ({ webhooks }) => webhooks?.length ?? 0, 'integer'), ageColumn];

const paramKind = column<Policy>('ParamKind', ({ spec }) => (spec?.paramKind ? `${spec.paramKind.apiVersion}/${spec.paramKind.kind}` : '<unset>'));

const bindingColumns = [
  nameColumn,
  column<Binding>('PolicyName', ({ spec }) => spec?.policyName ?? ''),
  column<Binding>('ParamRef', ({ spec }) => {
    const reference = spec?.paramRef;
    if (!reference) return '<unset>';
    if (!reference.name) return reference.namespace ? `${reference.namespace}/*` : '*';
    return reference.namespace ? `${reference.namespace}/${reference.name}` : reference.name;
  }),
  ageColumn,
];

export const admissionregistration = defineGroup('admissionregistration.k8s.io', 'v1', 'io.k8s.api.admissionregistration.v1', [
  {
    kind: 'MutatingAdmissionPolicy',
    resource: 'mutatingadmissionpolicies',
    namespaced: false,
    categories: ['api-extensions'],
    strategy: admissionPolicyStrategy,
    columns: [nameColumn, column<MutatingAdmissionPolicy>('Mutations', ({ spec }) => spec?.mutations?.length ?? 0, 'integer'), paramKind, ageColumn],
  },
  {
    kind: 'MutatingAdmissionPolicyBinding',
    resource: 'mutatingadmissionpolicybindings',
    namespaced: false,
    categories: ['api-extensions'],
    strategy: admissionPolicyBindingStrategy,
    columns: bindingColumns,
  },
  {
    kind: 'MutatingWebhookConfiguration',
    resource: 'mutatingwebhookconfigurations',
    namespaced: false,
    categories: ['api-extensions'],
    strategy: webhookConfigurationStrategy,
    columns: webhookColumns,
  },
  {
    kind: 'ValidatingAdmissionPolicy',
    resource: 'validatingadmissionpolicies',
    namespaced: false,
    categories: ['api-extensions'],
    strategy: admissionPolicyStrategy,
    status: admissionPolicyStatusStrategy,
    columns: [nameColumn, column<ValidatingAdmissionPolicy>('Validations', ({ spec }) => spec?.validations?.length ?? 0, 'integer'), paramKind, ageColumn],
  },
  {
    kind: 'ValidatingAdmissionPolicyBinding',
    resource: 'validatingadmissionpolicybindings',
    namespaced: false,
    categories: ['api-extensions'],
    strategy: admissionPolicyBindingStrategy,
    columns: bindingColumns,
  },
  {
    kind: 'ValidatingWebhookConfiguration',
    resource: 'validatingwebhookconfigurations',
    namespaced: false,
    categories: ['api-extensions'],
    strategy: webhookConfigurationStrategy,
    columns: webhookColumns,
  },
]);
