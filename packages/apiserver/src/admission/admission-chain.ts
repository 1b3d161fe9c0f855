import { ApiError } from '@coxswain/apimachinery';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';

/** All admission plugins in order: first every `admit`, later every `validate`. */
export class AdmissionChain {
  readonly #admitting: readonly AdmissionPlugin[];
  readonly #validating: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    const ordered = [...plugins].sort((a, b) => a.order - b.order);
    this.#admitting = ordered.filter((plugin) => plugin.admit);
    this.#validating = ordered.filter((plugin) => plugin.validate);
  }

  get names(): string[] {
    return [...new Set([...this.#admitting, ...this.#validating].map((plugin) => plugin.name))];
  }

  async admit(request: AdmissionRequest, signal: () => AbortSignal): Promise<void> {
    for (const plugin of this.#admitting) {
      if (!plugin.handles(request)) continue;
      const pending = run(plugin, () => plugin.admit?.(request, signalFor(plugin.admit, signal)));
      if (pending) await pending;
    }
  }

  async validate(request: AdmissionRequest, signal: () => AbortSignal): Promise<void> {
    for (const plugin of this.#validating) {
      if (!plugin.handles(request)) continue;
      const pending = run(plugin, () => plugin.validate?.(request, signalFor(plugin.validate, signal)));
      if (pending) await pending;
    }
  }
}

const NEVER = new AbortController().signal;

/** A signal costs about as much as the whole chain: it is made for those who look at it. */
function signalFor(hook: NonNullable<AdmissionPlugin['admit']>, signal: () => AbortSignal): AbortSignal {
  return hook.length > 1 ? signal() : NEVER;
}

function run(plugin: AdmissionPlugin, call: () => Promise<void> | void): Promise<void> | undefined {
  try {
    const result = call();
    return result instanceof Promise ? result.catch((error: unknown) => Promise.reject(refusal(plugin, error))) : undefined;
  } catch (error) {
    throw refusal(plugin, error);
  }
}

/** A plugin refuses with an ApiError; anything else is a fault of the plugin. */
function refusal(plugin: AdmissionPlugin, error: unknown): unknown {
  if (error instanceof ApiError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return ApiError.internalError(new Error(`admission plugin ${JSON.stringify(plugin.name)} failed: ${text}`, { cause: error }));
}
