import { defaultLimitRange, defaultSecret } from '../defaults/core.js';
import type { ConfigMap, LimitRange, ResourceQuota, Secret, ServiceAccount } from '../generated/types.js';
import { validateConfigMap, validateConfigMapUpdate } from '../validation/config-map.js';
import { validateLimitRange } from '../validation/limit-range.js';
import { validateResourceQuota, validateResourceQuotaStatus, validateResourceQuotaUpdate } from '../validation/quota.js';
import { validateSecret, validateSecretUpdate } from '../validation/secret.js';
import type { ResourceStrategy } from '../definition.js';
import type { StrategyParts } from './lifecycle.js';

export const configMapStrategy: StrategyParts = {
  validate: (object) => validateConfigMap(object as ConfigMap),
  validateUpdate: (object, old) => validateConfigMapUpdate(object as ConfigMap, old as ConfigMap),
};

/** `stringData` is write-only: it goes into `data`. */
function takeStringData(secret: Secret): void {
  if (!secret.stringData) return;
  secret.data ??= {};
  for (const [key, text] of Object.entries(secret.stringData)) secret.data[key] = Buffer.from(text).toString('base64');
  delete secret.stringData;
}

export const secretStrategy: StrategyParts = {
  default(object) {
    takeStringData(object as Secret);
    defaultSecret(object as Secret);
  },
  prepareForUpdate(object, old) {
    if (!(object as Secret).type && (old as Secret).type) (object as Secret).type = (old as Secret).type as string;
  },
  validate: (object) => validateSecret(object as Secret),
  validateUpdate: (object, old) => validateSecretUpdate(object as Secret, old as Secret),
};

/** Of a secret an account names nothing but the name. */
function cleanSecrets({ secrets }: ServiceAccount): void {
  secrets?.forEach(({ name }, index) => {
    secrets[index] = name ? { name } : {};
  });
}

/** Metadata is all there is to check. */
export const serviceAccountStrategy: StrategyParts = {
  prepareForCreate: (object) => cleanSecrets(object as ServiceAccount),
  prepareForUpdate: (object) => cleanSecrets(object as ServiceAccount),
};

export const resourceQuotaStrategy: StrategyParts = {
  validate: (object) => validateResourceQuota(object as ResourceQuota),
  validateUpdate: (object, old) => validateResourceQuotaUpdate(object as ResourceQuota, old as ResourceQuota),
};

export const resourceQuotaStatusStrategy: ResourceStrategy = {
  validateUpdate: (object) => validateResourceQuotaStatus(object as ResourceQuota),
};

export const limitRangeStrategy: StrategyParts = {
  default: (object) => defaultLimitRange(object as LimitRange),
  // One without a name gets a UUID for a name.
  prepareForCreate: ({ metadata }) => void (metadata.name ||= metadata.uid),
  validate: (object) => validateLimitRange(object as LimitRange),
};
