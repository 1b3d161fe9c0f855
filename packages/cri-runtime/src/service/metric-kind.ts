export interface Sample {
  /** Values of the kind's own labels. */
  readonly labels?: readonly string[];
  readonly value: number;
}

/** One metric: what it says, and how it is read off `Source`. */
export interface Kind<Source> {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** Labels beside the base labels. */
  readonly labels?: readonly string[];
  samples(source: Source): readonly Sample[];
}
