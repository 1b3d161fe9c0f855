/** One direction's counters of an interface since it was made. */
export interface InterfaceCounters {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}

export interface NetworkInterface {
  readonly name: string;
  readonly received: InterfaceCounters;
  readonly sent: InterfaceCounters;
}

/** `/proc/<pid>/net/dev`. Pure. */
export function parseNetDev(text: string): NetworkInterface[] {
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const [name, rest] = line.trim().split(/:\s*/);
      if (!name || !rest || name === 'lo') return [];
      const n = rest.split(/\s+/).map(Number);
      const counters = (at: number) => ({ bytes: n[at] ?? 0, packets: n[at + 1] ?? 0, errors: n[at + 2] ?? 0, dropped: n[at + 3] ?? 0 });
      return [{ name, received: counters(0), sent: counters(8) }];
    });
}
