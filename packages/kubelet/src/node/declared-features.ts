/** What this kubelet can do that not every kubelet of a cluster need be able to: `status.declaredFeatures` of its node, in order. */
export const nodeFeatures: readonly string[] = [
  // CPUs are not given to containers exclusively, so that there is nothing to take back or hand out anew.
  'GuaranteedQoSPodCPUResize',
  'InPlacePodLevelResourcesVerticalScaling',
];
