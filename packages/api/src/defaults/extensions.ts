import type {
  APIService,
  CustomResourceDefinition,
  DeviceClaim,
  ExactDeviceRequest,
  FlowSchema,
  PriorityLevelConfiguration,
  ResourceClaim,
  ResourceClaimTemplate,
} from '../generated/types.js';
import { setDefault, setDefaultText } from './set-default.js';

export function defaultCustomResourceDefinition({ spec }: CustomResourceDefinition): void {
  if (!spec) return;
  if (spec.names) {
    setDefaultText(spec.names, 'singular', (spec.names.kind ?? '').toLowerCase());
    setDefaultText(spec.names, 'listKind', spec.names.kind ? `${spec.names.kind}List` : '');
  }
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service) setDefault(service, 'port', 443);
}

export function defaultAPIService({ spec }: APIService): void {
  if (spec?.service) setDefault(spec.service, 'port', 443);
}

export function defaultFlowSchema({ spec }: FlowSchema): void {
  if (spec) spec.matchingPrecedence ||= 1000;
}

export function defaultPriorityLevel({ spec }: PriorityLevelConfiguration): void {
  if (!spec) return;
  if (spec.type === 'Exempt') {
    spec.exempt ??= {};
    setDefault(spec.exempt, 'nominalConcurrencyShares', 0);
    setDefault(spec.exempt, 'lendablePercent', 0);
  }
  if (!spec.limited) return;
  setDefault(spec.limited, 'nominalConcurrencyShares', 30);
  setDefault(spec.limited, 'lendablePercent', 0);
  const queuing = spec.limited.limitResponse?.queuing;
  if (!queuing) return;
  queuing.queues ||= 64;
  queuing.handSize ||= 8;
  queuing.queueLengthLimit ||= 50;
}

export const defaultResourceClaim = ({ spec }: ResourceClaim): void => defaultDeviceClaim(spec?.devices);
export const defaultResourceClaimTemplate = ({ spec }: ResourceClaimTemplate): void => defaultDeviceClaim(spec?.spec?.devices);

function defaultDeviceClaim(claim: DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable = [] } of claim?.requests ?? []) {
    for (const request of [...(exactly ? [exactly] : []), ...firstAvailable] as ExactDeviceRequest[]) {
      setDefaultText(request, 'allocationMode', 'ExactCount');
      if (request.allocationMode === 'ExactCount') request.count ||= 1;
      for (const toleration of request.tolerations ?? []) setDefaultText(toleration, 'operator', 'Equal');
    }
  }
}
