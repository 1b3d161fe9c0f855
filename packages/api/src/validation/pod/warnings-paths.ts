import type { PodSpec, VolumeProjection } from '../../generated/types.js';

/** Files of a projected volume that have the path of a token. */
export function tokenPathWarnings({ volumes = [] }: PodSpec, field: string): string[] {
  const tokens = new Set(
    volumes.flatMap(({ projected }) => (projected?.sources ?? []).flatMap(({ serviceAccountToken: token }) => (token ? [token.path] : []))),
  );
  if (tokens.size === 0) return [];
  const warnings: string[] = [];
  for (const [index, { projected }] of volumes.entries()) {
    const at = `${field}.volumes[${index}].projected.sources`;
    const check = (path: string, where: string): void => {
      if (tokens.has(path)) warnings.push(`${at}.${where}: has duplicated path with ServiceAccountToken "${path}"`);
    };
    for (const { configMap, secret, downwardAPI, clusterTrustBundle } of projected?.sources ?? []) {
      for (const [item, { path }] of (configMap?.items ?? []).entries()) check(path, `configMap[${item}]`);
      for (const [item, { path }] of (secret?.items ?? []).entries()) check(path, `secrets[${item}]`);
      for (const [item, { path }] of (downwardAPI?.items ?? []).entries()) check(path, `downwardAPI[${item}]`);
      if (clusterTrustBundle) check(clusterTrustBundle.path, 'ClusterTrustBundle');
    }
  }
  return warnings;
}

/** Files of a volume of which one is where the other needs a folder, or which are one. */
export function pathWarnings({ volumes = [] }: PodSpec): string[] {
  return volumes.flatMap(({ name, configMap, secret, downwardAPI, projected }) => [
    ...overlaps(pathsOf(configMap?.items), `volume "${name}" (ConfigMap "${configMap?.name ?? ''}"): overlapping paths`),
    ...overlaps(pathsOf(secret?.items), `volume "${name}" (Secret "${secret?.secretName ?? ''}"): overlapping paths`),
    ...overlaps(pathsOf(downwardAPI?.items), `volume "${name}" (DownwardAPI): overlapping paths`),
    ...(projected ? projectedWarnings(name, projected.sources ?? []) : []),
  ]);
}

const pathsOf = (items: readonly { readonly path: string }[] | undefined): string[] => (items ?? []).map(({ path }) => path);

function projectedWarnings(volume: string, sources: readonly VolumeProjection[]): string[] {
  const all = new Set<string>();
  return sources.flatMap((source) => {
    if (Object.keys(source).length === 0) return [`volume "${volume}" (Projected) has no sources provided`];
    const { paths, what } = describe(source);
    if (paths.length === 0) return [];
    const message = `volume "${volume}" (Projected ${what}): overlapping paths`;
    const own = [...new Set(paths)];
    const warnings = [...overlaps(paths, message), ...overlaps([...own, ...all].sort(), message)];
    for (const path of own) all.add(path);
    return warnings;
  });
}

function describe(source: VolumeProjection): { readonly paths: string[]; readonly what: string } {
  const { configMap, secret, downwardAPI, serviceAccountToken: token, clusterTrustBundle: bundle, podCertificate: certificate } = source;
  if (configMap?.items) return { paths: pathsOf(configMap.items), what: `ConfigMap "${configMap.name ?? ''}"` };
  if (secret?.items) return { paths: pathsOf(secret.items), what: `Secret "${secret.name ?? ''}"` };
  if (downwardAPI?.items) return { paths: pathsOf(downwardAPI.items), what: 'DownwardAPI' };
  if (token) return { paths: [token.path], what: 'ServiceAccountToken' };
  if (bundle) return { paths: [bundle.path], what: `ClusterTrustBundle "${bundle.name ?? bundle.signerName ?? ''}"` };
  if (!certificate) return { paths: [], what: '' };
  const { credentialBundlePath, keyPath, certificateChainPath } = certificate;
  return { paths: [credentialBundlePath, keyPath, certificateChainPath].flatMap((path) => path || []), what: 'PodCertificate' };
}

function overlaps(paths: readonly string[], message: string): string[] {
  const known = new Set<string>();
  return paths.flatMap((path) => {
    const normal = path.replace(/\/+$/, '');
    const other = normal === '' ? undefined : [...known].find((each) => each !== '' && (`${each}/`.startsWith(normal) || `${normal}/`.startsWith(each)));
    known.add(normal);
    return other === undefined ? [] : [`${message}: "${normal}" with "${other}"`];
  });
}
