/** How long tasks waited for something that was short: microseconds in all, and percent of the last 10, 60 and 300 seconds. */
export interface PressureLine {
  readonly total: number;
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
}

/** PSI of one resource: `some` task waited, or all of them did (`full`). */
export interface Pressure {
  readonly some: PressureLine;
  readonly full: PressureLine;
}

const NONE: PressureLine = { total: 0, avg10: 0, avg60: 0, avg300: 0 };

/** A `*.pressure` file; undefined where the kernel has none. Old kernels have no `full` line for the CPU. */
export function parsePressure(text: string | undefined): Pressure | undefined {
  const lines = new Map(
    (text ?? '').split('\n').flatMap((line) => {
      const [kind, ...pairs] = line.split(' ');
      if (!kind || pairs.length === 0) return [];
      return [[kind, Object.fromEntries(pairs.map((p) => p.split('=')).map(([key = '', value]) => [key, Number(value)]))] as const];
    }),
  );
  const some = lines.get('some');
  return some && { some: { ...NONE, ...some }, full: { ...NONE, ...lines.get('full') } };
}
