import { CniError, CniErrorCode } from './error.js';

/** `K=V;K2=V2` */
export function parseArgs(text: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const pair of text.split(';').filter(Boolean)) {
    const at = pair.indexOf('=');
    if (at <= 0) throw new CniError(CniErrorCode.invalidEnvironment, `invalid CNI_ARGS pair ${JSON.stringify(pair)}`);
    out[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return out;
}

export function formatArgs(args: Readonly<Record<string, string>>): string {
  return Object.entries(args)
    .map(([key, value]) => `${key}=${value}`)
    .join(';');
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export function validateContainerId(id: string): void {
  if (!NAME.test(id)) throw new CniError(CniErrorCode.invalidEnvironment, `invalid container id ${JSON.stringify(id)}`);
}

export function validateNetworkName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !NAME.test(name)) throw new CniError(CniErrorCode.invalidConfig, `invalid network name ${JSON.stringify(name)}`);
}

/** The kernel's rules for a link's name. */
export function validateIfname(name: string): void {
  if (name.length === 0 || name.length > 15 || name === '.' || name === '..' || /[/:\s]/.test(name)) {
    throw new CniError(CniErrorCode.invalidEnvironment, `invalid interface name ${JSON.stringify(name)}`);
  }
}
