import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { EngineClient, type EngineClientOptions } from './engine-client.js';
import type {
  ContainerInspect,
  ContainerSummary,
  EngineContainerConfig,
  EngineEvent,
  EngineInfo,
  EngineResources,
  ExecInspect,
  ImageInspect,
  ProgressLine,
} from './engine-types.js';
import { jsonLines } from './json-lines.js';

export interface ExecConfig {
  readonly Cmd: readonly string[];
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Tty: boolean;
}

const container = (id: string) => `/containers/${encodeURIComponent(id)}`;
// Names have slashes of their own, which the engine's routes take as they are.
const image = (ref: string) => `/images/${ref.split('/').map(encodeURIComponent).join('/')}`;

/** The calls of the Docker Engine API that a CRI server makes, typed. Each rejects with `EngineError`. */
export class Engine {
  readonly client: EngineClient;

  constructor(options: EngineClientOptions) {
    this.client = new EngineClient(options);
  }

  close(): void {
    this.client.close();
  }

  info = (): Promise<EngineInfo> => this.client.json({ method: 'GET', path: '/info' });
  version = (): Promise<{ readonly Version: string }> => this.client.json({ method: 'GET', path: '/version' });
  ping = (timeoutMs: number): Promise<void> => this.client.call({ method: 'GET', path: '/_ping', timeoutMs });
  diskUsage = (): Promise<{ readonly LayersSize: number; readonly Containers: readonly { readonly SizeRw?: number }[] | null }> =>
    this.client.json({ method: 'GET', path: '/system/df' });

  /** Events of containers from now on, or from `since` (nanoseconds since the epoch), until `signal`. */
  async *events(actions: readonly string[], since: bigint | undefined, signal: AbortSignal): AsyncGenerator<EngineEvent, void, void> {
    const filters = JSON.stringify({ type: ['container'], event: actions });
    const query = { filters, ...(since === undefined ? {} : { since: seconds(since) }) };
    yield* jsonLines<EngineEvent>(await this.client.stream({ method: 'GET', path: '/events', query, signal }));
  }

  readonly containers = {
    create: (name: string, body: EngineContainerConfig, signal?: AbortSignal): Promise<{ readonly Id: string }> =>
      this.client.json({ method: 'POST', path: '/containers/create', query: { name }, body, ...(signal ? { signal } : {}) }),
    start: (id: string): Promise<void> => this.client.call({ method: 'POST', path: `${container(id)}/start` }),
    kill: (id: string, signal: number): Promise<void> => this.client.call({ method: 'POST', path: `${container(id)}/kill`, query: { signal } }),
    /** Kills it when it runs, and takes its anonymous volumes with it. */
    remove: (id: string): Promise<void> => this.client.call({ method: 'DELETE', path: container(id), query: { force: true, v: true } }),
    inspect: (id: string): Promise<ContainerInspect> => this.client.json({ method: 'GET', path: `${container(id)}/json` }),
    /** All that have the labels, also those that do not run. */
    list: (...label: string[]): Promise<ContainerSummary[]> =>
      this.client.json({ method: 'GET', path: '/containers/json', query: { all: true, filters: JSON.stringify({ label }) } }),
    update: (id: string, body: EngineResources): Promise<void> => this.client.call({ method: 'POST', path: `${container(id)}/update`, body }),
    resize: (id: string, w: number, h: number): Promise<void> => this.client.call({ method: 'POST', path: `${container(id)}/resize`, query: { w, h } }),
    attach: (id: string, streams: { stdin: boolean; stdout: boolean; stderr: boolean }): Promise<Socket> =>
      this.client.hijack({ method: 'POST', path: `${container(id)}/attach`, query: { stream: true, ...streams } }),
    /** Every line with its time in front, from `since` (nanoseconds since the epoch), until the container ends. */
    logs: (id: string, since: bigint | undefined, signal: AbortSignal): Promise<IncomingMessage> =>
      this.client.stream({
        method: 'GET',
        path: `${container(id)}/logs`,
        query: { follow: true, stdout: true, stderr: true, timestamps: true, ...(since === undefined ? {} : { since: seconds(since) }) },
        signal,
      }),
  };

  readonly execs = {
    create: (id: string, body: ExecConfig): Promise<{ readonly Id: string }> =>
      // One that is never started is nothing.
      this.client.json({ method: 'POST', path: `${container(id)}/exec`, body, repeatable: true }),
    start: (id: string, Tty: boolean): Promise<Socket> => this.client.hijack({ method: 'POST', path: `/exec/${id}/start`, body: { Detach: false, Tty } }),
    resize: (id: string, w: number, h: number): Promise<void> => this.client.call({ method: 'POST', path: `/exec/${id}/resize`, query: { w, h } }),
    inspect: (id: string): Promise<ExecInspect> => this.client.json({ method: 'GET', path: `/exec/${id}/json` }),
  };

  readonly images = {
    inspect: (ref: string): Promise<ImageInspect> => this.client.json({ method: 'GET', path: `${image(ref)}/json` }),
    list: (): Promise<{ readonly Id: string }[]> => this.client.json({ method: 'GET', path: '/images/json' }),
    /** Takes the name away, and the image when that was its last and nothing stands on it. */
    remove: (ref: string): Promise<void> => this.client.call({ method: 'DELETE', path: image(ref), query: { force: true } }),
    pull: async (query: { fromImage: string; tag?: string }, auth: string, signal: AbortSignal): Promise<AsyncIterable<ProgressLine>> =>
      jsonLines(
        await this.client.stream({ method: 'POST', path: '/images/create', query, headers: auth ? { 'x-registry-auth': auth } : {}, signal, timeoutMs: 0 }),
      ),
    load: async (tar: AsyncIterable<Uint8Array>): Promise<AsyncIterable<ProgressLine>> =>
      jsonLines(await this.client.stream({ method: 'POST', path: '/images/load', query: { quiet: true }, tar, timeoutMs: 0 })),
  };
}

/** The engine's times: seconds with nine decimals. */
function seconds(nanoseconds: bigint): string {
  return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;
}
