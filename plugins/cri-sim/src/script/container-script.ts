/** When a log line is written. Times count from the container's start. */
export interface LogScript {
  readonly line: string;
  readonly stream: 'stdout' | 'stderr';
  readonly afterMs: number;
  /** Again and again; absent: once. */
  readonly everyMs?: number;
}

/** What the container uses from this time after its start on. */
export interface UsageScript {
  readonly afterMs: number;
  readonly milliCpu: number;
  readonly memoryBytes: number;
}

/** The answer to commands in the container that match. */
export interface ExecScript {
  /** A glob over the words joined by spaces. */
  readonly command: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
  readonly afterMs: number;
  /** Standard input comes back as output, before `stdout`. */
  readonly echo: boolean;
  /** Why the command cannot be run at all. */
  readonly error?: string;
}

export interface ExitScript {
  readonly afterMs: number;
  readonly code: number;
  /** As the runtime calls it; absent: Completed or Error, by the code. */
  readonly reason?: string;
  /** Only the first so many attempts of the container exit by themselves; absent: all. */
  readonly times?: number;
}

/** What one simulated container does, with nothing left open. */
export interface ContainerScript {
  /** How long starting takes, or why it fails. */
  readonly start: { readonly afterMs: number; readonly error?: string };
  /** Absent: it runs until it is stopped. */
  readonly exit?: ExitScript;
  /** What SIGTERM does: the container ends so much later, with this code. */
  readonly stop: { readonly afterMs: number; readonly code: number };
  readonly logs: readonly LogScript[];
  /** In order of their times. */
  readonly usage: readonly UsageScript[];
  /** The first that matches answers; without one a command ends at once, with code 0 and no output. */
  readonly exec: readonly ExecScript[];
  /** Whether what asks its ports (probes) gets an answer: from this time on, or never, and why. */
  readonly serve: { readonly afterMs: number; readonly error?: string };
  /** What a connection to a port is answered with after its first bytes. Other ports refuse. */
  readonly ports: Readonly<Record<string, string>>;
}

export type PartialScript = Partial<ContainerScript>;

const SIGTERM = 15;

export const defaultScript: ContainerScript = Object.freeze({
  start: { afterMs: 0 },
  stop: { afterMs: 0, code: 128 + SIGTERM },
  logs: [],
  usage: [{ afterMs: 0, milliCpu: 1, memoryBytes: 1024 * 1024 }],
  exec: [],
  serve: { afterMs: 0 },
  ports: {},
});
