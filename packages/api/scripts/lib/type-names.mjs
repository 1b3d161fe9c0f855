// The exported TypeScript name of each client-node model: the version prefix goes, collisions keep a word that tells them apart.
const EXPLICIT = {
  CoreV1EndpointPort: 'EndpointPort',
  CoreV1Event: 'Event',
  CoreV1EventList: 'EventList',
  CoreV1EventSeries: 'EventSeries',
  CoreV1ResourceClaim: 'ContainerResourceClaim',
  ResourceV1ResourceClaim: 'ResourceClaim',
  AuthenticationV1TokenRequest: 'TokenRequest',
  EventsV1Event: 'EventsV1Event',
  EventsV1EventList: 'EventsV1EventList',
  EventsV1EventSeries: 'EventsV1EventSeries',
  V1CrossVersionObjectReference: 'CrossVersionObjectReferenceV1',
  V1HorizontalPodAutoscaler: 'HorizontalPodAutoscalerV1',
  V1HorizontalPodAutoscalerList: 'HorizontalPodAutoscalerV1List',
  V1HorizontalPodAutoscalerSpec: 'HorizontalPodAutoscalerV1Spec',
  V1HorizontalPodAutoscalerStatus: 'HorizontalPodAutoscalerV1Status',
  VersionInfo: 'VersionInfo',
};

/** `V1Pod` → `Pod`, `RbacV1Subject` → `RbacSubject`. */
export function typeName(model) {
  return EXPLICIT[model] ?? model.replace(/^V[12](?=[A-Z])/, '').replace(/^([A-Z][a-z]+)V1(?=[A-Z])/, '$1');
}
