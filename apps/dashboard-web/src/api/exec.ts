import { k8s } from './request';

export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
}

export interface ExecHandlers {
  readonly onOpen: () => void;
  readonly onOutput: (bytes: Uint8Array) => void;
  /** The command's end: undefined when it went well. */
  readonly onEnd: (problem: string | undefined) => void;
}

const [STDIN, STDOUT, STDERR, ERROR, RESIZE] = [0, 1, 2, 3, 4];

/** A terminal in a container: WebSocket with Kubernetes' remote command protocol, version 5. */
export class ExecSession {
  readonly #socket: WebSocket;
  #ended = false;

  constructor({ namespace, pod, container, command }: ExecTarget, handlers: ExecHandlers) {
    const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', stderr: 'false', tty: 'true' });
    for (const part of command) query.append('command', part);
    const path = k8s(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec`);
    this.#socket = new WebSocket(`wss://${location.host}${path}?${query}`, ['v5.channel.k8s.io', 'v4.channel.k8s.io']);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => handlers.onOpen();
    const end = (problem: string | undefined) => {
      if (this.#ended) return;
      this.#ended = true;
      handlers.onEnd(problem);
    };
    this.#socket.onmessage = ({ data }) => {
      const bytes = new Uint8Array(data as ArrayBuffer);
      const channel = bytes[0];
      const payload = bytes.subarray(1);
      if (channel === STDOUT || channel === STDERR) handlers.onOutput(payload);
      else if (channel === ERROR) end(problemIn(new TextDecoder().decode(payload)));
    };
    this.#socket.onclose = ({ code, reason }) => end(reason || (code === 1000 ? undefined : 'the connection was closed'));
  }

  send(text: string): void {
    this.#write(STDIN as number, text);
  }

  resize(columns: number, rows: number): void {
    this.#write(RESIZE as number, JSON.stringify({ Width: columns, Height: rows }));
  }

  close(): void {
    this.#ended = true;
    this.#socket.close(1000);
  }

  #write(channel: number, text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const body = new TextEncoder().encode(text);
    const frame = new Uint8Array(body.length + 1);
    frame[0] = channel;
    frame.set(body, 1);
    this.#socket.send(frame);
  }
}

function problemIn(text: string): string | undefined {
  try {
    const status = JSON.parse(text) as { status?: string; message?: string };
    return status.status === 'Success' ? undefined : (status.message ?? text);
  } catch {
    return text;
  }
}
