import { CniError, CniErrorCode } from './error.js';

/** Oldest first. 0.1.0 and 0.2.0 have another result shape and are not spoken. */
export const SUPPORTED_VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export const CURRENT_VERSION = '1.1.0';

/** The version a configuration without one means. */
export const IMPLIED_VERSION = '0.1.0';

export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function atLeast(version: string, minimum: string): boolean {
  return compareVersions(version, minimum) >= 0;
}

export function requireSupported(version: string, supported: readonly string[] = SUPPORTED_VERSIONS): void {
  if (!supported.includes(version)) {
    throw new CniError(
      CniErrorCode.incompatibleVersion,
      `incompatible CNI versions: config is ${JSON.stringify(version)}, plugin supports ${supported.join(', ')}`,
    );
  }
}
