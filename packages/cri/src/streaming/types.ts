import type { Duplex, Readable, Writable } from 'node:stream';

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** How a command ended: with an exit code, or without one because it could not be run or the connection to it failed. */
export type CommandOutcome = { readonly type: 'exit'; readonly code: number } | { readonly type: 'error'; readonly message: string };

/** Which streams a session has. stderr and tty exclude each other: a terminal has one output. */
export interface SessionStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The server's side of one exec or attach. Writers give back-pressure; stdin ends when the client half-closes it. */
export interface StreamSession {
  /** The negotiated subprotocol, such as `v5.channel.k8s.io`. */
  readonly protocol: string;
  readonly tty: boolean;
  /** Iterate, or pipe. */
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Sizes of the client's terminal, the first at once. Ends with the session. */
  readonly resize: AsyncIterable<TerminalSize>;
  /** Aborts when the client goes away or the session has finished. */
  readonly signal: AbortSignal;
  /** Report how the command ended and close. Call once; output written before is delivered first. */
  finish(outcome: CommandOutcome): Promise<void>;
}

/** The client's side of one exec or attach. */
export interface ClientSession {
  readonly protocol: string;
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
  resize(size: TerminalSize): void;
  /** Resolves when the server reports the end; `error` also when the connection breaks. */
  readonly outcome: Promise<CommandOutcome>;
  close(): void;
}

/** A client's connection to a pod's ports. */
export interface PortForwardConnection {
  /** One connection to a port in the pod. It is destroyed with an error when the pod's side reports one. */
  open(port: number): Promise<Duplex>;
  close(): void;
}
