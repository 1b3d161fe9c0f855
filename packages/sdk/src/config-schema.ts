/** The Standard Schema v1 contract (https://standardschema.dev), so that a plugin may use any validator that speaks it. */
export interface ConfigSchema<Output = unknown, Input = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => ConfigResult<Output> | Promise<ConfigResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type ConfigResult<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly ConfigIssue[] };

export interface ConfigIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** What a schema turns valid input into. */
export type ConfigOf<S> = S extends ConfigSchema<infer Output> ? Output : never;
