/** One thing that is wrong with a composition, and what to do about it. */
export interface HostProblem {
  readonly code:
    | 'sdk-version'
    | 'duplicate-plugin'
    | 'duplicate-component'
    | 'missing-requirement'
    | 'unknown-dependency'
    | 'dependency-cycle'
    | 'invalid-config';
  readonly message: string;
}

/** A composition that cannot be started. All problems are reported together. */
export class HostError extends Error {
  constructor(readonly problems: readonly HostProblem[]) {
    super(`the composition has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((p) => `- ${p.message}`).join('\n')}`);
    this.name = 'HostError';
  }
}

/** A component or plugin failed while starting or stopping; `cause` is its own error. */
export class ComponentError extends Error {
  constructor(
    readonly component: string,
    readonly during: 'create' | 'start' | 'stop',
    cause: unknown,
  ) {
    super(`${component} failed to ${during}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'ComponentError';
  }
}
