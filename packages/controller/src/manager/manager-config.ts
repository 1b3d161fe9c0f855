/** What every manager of controllers can be told, by upstream's flag names. */
export interface ManagerConfig {
  /** `--controllers`: `*`, names, and `-name` to leave one out. */
  readonly controllers: readonly string[];
  readonly leaderElection:
    | {
        readonly namespace: string;
        readonly name: string;
        readonly identity: string;
        readonly leaseDurationSeconds: number;
        readonly renewDeadlineSeconds: number;
        readonly retryPeriodSeconds: number;
      }
    | undefined;
  readonly serving: { readonly bindAddress: string; readonly securePort: number; readonly tls?: { readonly cert: string; readonly key: string } } | undefined;
}
