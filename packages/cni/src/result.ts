import { CniError, CniErrorCode } from './error.js';
import type { CniInterface, CniIp, CniResult, CniRoute } from './types.js';
import { atLeast, CURRENT_VERSION, requireSupported } from './version.js';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function list(value: unknown, what: string): Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw new CniError(CniErrorCode.decodingFailure, `result: ${what} is not a list of objects`);
  return value;
}

/** Reads a result of any supported version. */
export function parseResult(value: unknown): CniResult {
  if (!isObject(value)) throw new CniError(CniErrorCode.decodingFailure, 'result is not a JSON object');
  const version = typeof value.cniVersion === 'string' ? value.cniVersion : '';
  requireSupported(version);
  const interfaces = list(value.interfaces, 'interfaces') as unknown as CniInterface[];
  const ips = list(value.ips, 'ips').map(({ version: _family, ...ip }) => {
    if (typeof ip.address !== 'string') throw new CniError(CniErrorCode.decodingFailure, 'result: an ip has no address');
    return ip as unknown as CniIp;
  });
  const routes = list(value.routes, 'routes') as unknown as CniRoute[];
  return {
    cniVersion: CURRENT_VERSION,
    ...(interfaces.length > 0 ? { interfaces } : {}),
    ...(ips.length > 0 ? { ips } : {}),
    ...(routes.length > 0 ? { routes } : {}),
    ...(isObject(value.dns) ? { dns: value.dns } : {}),
  };
}

/** Writes a result as `version` has it: fields that version does not know are left out. */
export function formatResult(result: CniResult, version: string): Json {
  requireSupported(version);
  const modern = atLeast(version, '1.1.0');
  return {
    cniVersion: version,
    ...(result.interfaces
      ? {
          interfaces: result.interfaces.map(({ name, mac, sandbox, ...newer }) => ({
            name,
            ...(mac ? { mac } : {}),
            ...(sandbox ? { sandbox } : {}),
            ...(modern ? newer : {}),
          })),
        }
      : {}),
    ...(result.ips ? { ips: result.ips.map((ip) => (atLeast(version, '1.0.0') ? ip : { version: ip.address.includes(':') ? '6' : '4', ...ip })) } : {}),
    ...(result.routes ? { routes: result.routes.map(({ dst, gw, ...newer }) => ({ dst, ...(gw ? { gw } : {}), ...(modern ? newer : {}) })) } : {}),
    dns: result.dns ?? {},
  };
}
