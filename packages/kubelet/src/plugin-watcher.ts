import { watch } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type PluginInfo, registerPlugin } from '@coxswain/csi';
import type { Clock, Logger } from '@coxswain/sdk';

/** Sockets are looked for when the folder changes, and now and then in case that was missed. */
const RESCAN_MS = 10_000;
const RETRY_MS = 500;
const RETRY_MAX_MS = 30_000;

/** Takes plugins of one type. */
export interface PluginHandler {
  /** Rejects, with the reason for the plugin, when it cannot be taken. */
  register(info: PluginInfo, signal: AbortSignal): Promise<void>;
  /** No socket of the plugin is left. */
  unregister(name: string, signal: AbortSignal): Promise<void>;
}

/** Looks after the folder in which plugins make themselves known: a socket that appears is registered, one that goes is forgotten. */
export class PluginWatcher {
  /** Socket → the plugin behind it, from when it was taken. It is `told` once it knows, too: until then it is asked again. */
  readonly #registered = new Map<string, { readonly type: string; readonly name: string; readonly socket: string; told: boolean }>();
  readonly #failures = new Map<string, number>();
  /** Sockets that are being asked. */
  readonly #looking = new Map<string, Promise<void>>();
  #changed = new AbortController();

  constructor(
    private readonly folder: string,
    private readonly handlers: Readonly<Record<string, PluginHandler>>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o750 });
    const watcher = watch(this.folder, { persistent: false }, () => this.#changed.abort());
    watcher.on('error', (error) => this.logger.warn('watching for plugins failed; they are still looked for every few seconds', { err: error }));
    try {
      while (!signal.aborted) {
        this.#changed = new AbortController();
        await this.#scan(signal).catch((error: unknown) => this.logger.warn('looking for plugins failed', { err: error }));
        const failed = Math.max(0, ...this.#failures.values());
        const wait = failed > 0 ? Math.min(RETRY_MS * 2 ** (failed - 1), RETRY_MAX_MS) : RESCAN_MS;
        await this.clock.sleep(wait, AbortSignal.any([signal, this.#changed.signal])).catch(() => {});
      }
    } finally {
      watcher.close();
      await Promise.all(this.#looking.values());
    }
  }

  async #scan(signal: AbortSignal): Promise<void> {
    const entries = await readdir(this.folder, { withFileTypes: true });
    const sockets = new Set(entries.filter((e) => e.isSocket() && !e.name.startsWith('.')).map((e) => e.name));
    for (const [socket, { type, name }] of [...this.#registered]) {
      if (sockets.has(socket)) continue;
      this.#registered.delete(socket);
      const still = [...this.#registered.values()].some((other) => other.type === type && other.name === name);
      if (!still) await this.handlers[type]?.unregister(name, signal);
    }
    for (const socket of this.#failures.keys()) if (!sockets.has(socket)) this.#failures.delete(socket);
    for (const socket of sockets) {
      if (this.#looking.has(socket)) continue;
      const look = this.#look(socket, signal).finally(() => this.#looking.delete(socket));
      this.#looking.set(socket, look);
    }
    // One that hangs must not keep others waiting that come meanwhile.
    const changed = new Promise<void>((resolve) => this.#changed.signal.addEventListener('abort', () => resolve(), { once: true }));
    if (!this.#changed.signal.aborted) await Promise.race([Promise.all(this.#looking.values()), changed]);
  }

  async #look(socket: string, signal: AbortSignal): Promise<void> {
    try {
      // A plugin that was started again has made a socket of its own in the place of the old one.
      const identity = await identityOf(join(this.folder, socket));
      const known = this.#registered.get(socket);
      if (known?.told && known.socket === identity) return;
      await registerPlugin(`unix://${join(this.folder, socket)}`, (info) => this.#register(socket, identity, info, signal), signal);
      const taken = this.#registered.get(socket);
      if (taken) taken.told = true;
      this.#failures.delete(socket);
    } catch (error) {
      if (signal.aborted) return;
      this.#failures.set(socket, (this.#failures.get(socket) ?? 0) + 1);
      this.logger.warn('a plugin could not be registered; will try again', { socket, err: error });
    }
  }

  async #register(socket: string, identity: string, info: PluginInfo, signal: AbortSignal): Promise<void> {
    const handler = Object.hasOwn(this.handlers, info.type) ? this.handlers[info.type] : undefined;
    if (!handler)
      throw new Error(`plugins of type ${JSON.stringify(info.type)} are not supported by this kubelet, only ${Object.keys(this.handlers).join(', ')}`);
    await handler.register(info, signal);
    this.#registered.set(socket, { type: info.type, name: info.name, socket: identity, told: false });
  }
}

/** Of a socket that is gone meanwhile: none, which no other has. */
async function identityOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found ? `${found.ino} ${found.birthtimeMs}` : '';
}
