interface Terminated {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
}
interface ContainerState {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: { readonly waiting?: { readonly reason: string }; readonly running?: object; readonly terminated?: Terminated };
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}
/** What tests look at of a pod. */
export interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation?: number; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string };
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly message?: string;
    readonly podIP?: string;
    readonly hostIP?: string;
    readonly qosClass?: string;
    readonly observedGeneration?: number;
    readonly containerStatuses?: readonly ContainerState[];
    readonly initContainerStatuses?: readonly ContainerState[];
    readonly ephemeralContainerStatuses?: readonly ContainerState[];
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}
