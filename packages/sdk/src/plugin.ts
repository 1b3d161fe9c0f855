import type { ContainerModule } from 'inversify';
import type { ConfigSchema } from './config-schema.js';
import type { Token } from './token.js';

/** The SDK's version; a plugin names the range it was built for in `sdk`. */
export const SDK_VERSION = '0.1.0';

/** The extension points. The id's version changes when its interface breaks. */
export const PluginPoint = {
  store: 'coxswain.store.v1',
  cri: 'coxswain.cri.v1',
  cni: 'coxswain.cni.v1',
  serviceProxy: 'coxswain.service-proxy.v1',
  cloud: 'coxswain.cloud.v1',
  apiServer: 'coxswain.api-server.v1',
  scheduler: 'coxswain.scheduler.v1',
  admission: 'coxswain.admission.v1',
  authenticator: 'coxswain.authenticator.v1',
  authorizer: 'coxswain.authorizer.v1',
  apiRouter: 'coxswain.api-router.v1',
  addon: 'coxswain.addon.v1',
} as const;

export type PluginPointId = (typeof PluginPoint)[keyof typeof PluginPoint] | (string & {});

/**
 * A plugin as a value: importing the module that exports it has no side effect, and nothing runs before the host loads it.
 * `module(config)` receives validated configuration and binds the point's token (and whatever else it offers).
 */
export interface Plugin<Config = unknown> {
  readonly point: PluginPointId;
  /** Unique in a host: `store-lmdb`. */
  readonly name: string;
  readonly description: string;
  /** Semver range of the SDK it was built for, checked at load. */
  readonly sdk: string;
  /** Tokens that others must have bound. */
  readonly requires: readonly Token<unknown>[];
  readonly config: ConfigSchema<Config>;
  readonly module: (config: Config) => ContainerModule;
}

export type PluginDefinition<Config> = Omit<Plugin<Config>, 'requires'> & { readonly requires?: readonly Token<unknown>[] };

/** Make a plugin value; frozen. */
export function definePlugin<Config>(definition: PluginDefinition<Config>): Plugin<Config> {
  return Object.freeze({ ...definition, requires: Object.freeze([...(definition.requires ?? [])]) });
}

/** A plugin with the configuration it is to be loaded with (not yet validated). */
export interface PluginUse {
  readonly plugin: Plugin<never>;
  readonly config?: unknown;
}

/** Pair a plugin with its configuration: `use(lmdbStore, { path })`. */
export function use<Config>(plugin: Plugin<Config>, config?: Partial<Config>): PluginUse {
  return Object.freeze({ plugin: plugin as unknown as Plugin<never>, config });
}
