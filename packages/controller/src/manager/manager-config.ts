import type { ComponentServing } from '@coxswain/sdk';

/** What every manager of controllers can be told, by upstream's flag names. */
export interface ManagerConfig {
  /** `--controllers`: `*`, names, and `-name` to leave one out. */
  readonly controllers: readonly string[];
  /** How many objects a controller works on at once, by its name; absent: what is right for it. */
  readonly concurrency?: Readonly<Record<string, number>>;
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
  readonly serving: ComponentServing | undefined;
}
