import type { ClusterTrustBundleProjection, DownwardAPIVolumeFile, KeyToPath, PodCertificateProjection, ProjectedVolumeSource } from '../../generated/types.js';
import { validateSignerName } from '../certificates.js';
import { validateLabelSelector } from '../common.js';
import { forbidden, invalid, notSupported, required } from '../errors.js';
import { isDNS1123Subdomain, isQualifiedName } from '../names.js';
import { addLocalPath } from '../paths.js';
import { addFieldRef, addResourceFieldRef } from '../pod/downward-api.js';
import type { Sink } from '../sink.js';

const VOLUME_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];

export function addMode(sink: Sink, field: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) sink.push(invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
}

export function addItems(sink: Sink, field: string, items: readonly KeyToPath[] | undefined): void {
  if (!items) return;
  for (const [index, { key, path = '', mode }] of items.entries()) {
    const at = `${field}[${index}]`;
    if (!key) sink.push(required(`${at}.key`));
    if (!path) sink.push(required(`${at}.path`));
    addLocalPath(sink, `${at}.path`, path);
    addMode(sink, `${at}.mode`, mode);
  }
}

/** Upstream names the volume, not the file, as the place of the error. */
export function addDownwardFile(sink: Sink, field: string, { path = '', fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile): void {
  if (!path) sink.push(required(`${field}.path`));
  addLocalPath(sink, `${field}.path`, path);
  if (fieldRef) {
    addFieldRef(sink, `${field}.fieldRef`, fieldRef, VOLUME_FIELDS);
    if (resourceFieldRef) sink.push(invalid(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (resourceFieldRef) addResourceFieldRef(sink, `${field}.resourceFieldRef`, resourceFieldRef, true);
  else sink.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
  addMode(sink, `${field}.mode`, mode);
}

/** `anyTokenPath`: what was stored had a token outside of its volume. */
export function addProjected(sink: Sink, field: string, { defaultMode, sources }: ProjectedVolumeSource, anyTokenPath: boolean): void {
  addMode(sink, `${field}.defaultMode`, defaultMode);
  if (!sources) return;
  const paths = new Set<string>();
  const take = (path: string, shown: string): void => {
    if (paths.has(path)) sink.push(invalid(field, shown, 'conflicting duplicate paths'));
    paths.add(path);
  };
  for (const [index, source] of sources.entries()) {
    const at = `${field}.sources[${index}]`;
    let count = 0;
    for (const kind of ['secret', 'configMap'] as const) {
      const projection = source[kind];
      if (!projection) continue;
      count++;
      if (!projection.name) sink.push(required(`${at}.${kind}.name`));
      addItems(sink, `${at}.${kind}.items`, projection.items);
      if (projection.items) for (const { path } of projection.items) if (path) take(path, projection.name ?? '');
    }
    const { downwardAPI, serviceAccountToken: token, clusterTrustBundle, podCertificate } = source;
    if (downwardAPI) {
      count++;
      for (const file of downwardAPI.items ?? []) {
        addDownwardFile(sink, `${at}.downwardAPI`, file);
        if (file.path) take(file.path, file.path);
      }
    }
    if (token) {
      count++;
      const seconds = token.expirationSeconds ?? 0;
      if (seconds < 600) sink.push(invalid(`${at}.serviceAccountToken.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
      if (seconds > 2 ** 32) sink.push(invalid(`${at}.serviceAccountToken.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
      if (!token.path) sink.push(required(`${field}.path`));
      else if (!anyTokenPath) addLocalPath(sink, `${field}.path`, token.path);
    }
    if (clusterTrustBundle) {
      count++;
      addTrustBundle(sink, `${at}.clusterTrustBundle`, clusterTrustBundle);
      take(clusterTrustBundle.path ?? '', clusterTrustBundle.path ?? '');
    }
    if (podCertificate) {
      count++;
      addPodCertificate(sink, `${at}.podCertificate`, podCertificate, take);
    }
    if (count > 1) sink.push(forbidden(at, 'may not specify more than 1 volume type per source'));
  }
}

function addTrustBundle(sink: Sink, field: string, bundle: ClusterTrustBundleProjection): void {
  const { name, signerName, labelSelector, path = '' } = bundle;
  if (name !== undefined && signerName !== undefined) sink.push(invalid(field, bundle, 'only one of name and signerName may be used'));
  else if (name !== undefined) {
    if (name === '') sink.push(required(`${field}.name`, 'must be a valid object name'));
    for (const message of wrongBundleName(name)) sink.push(invalid(`${field}.name`, name, `not a valid clustertrustbundlename: ${message}`));
    if (labelSelector) sink.push(invalid(`${field}.labelSelector`, labelSelector, 'labelSelector must be unset if name is specified'));
  } else if (signerName !== undefined) {
    if (signerName === '') sink.push(required(`${field}.signerName`, 'must be a valid signer name'));
    sink.push(...validateSignerName(signerName, `${field}.signerName`), ...validateLabelSelector(labelSelector, `${field}.labelSelector`));
  } else sink.push(required(field, 'either name or signerName must be specified'));
  if (!path) sink.push(required(`${field}.path`));
  addLocalPath(sink, `${field}.path`, path);
}

/** With a signer, its name leads: `example.com:signer:suffix`. */
function wrongBundleName(name: string): string[] {
  const at = name.lastIndexOf(':');
  return isDNS1123Subdomain(at < 0 ? name : name.slice(at + 1));
}

const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'];
const DAY = 24 * 3600;

function addPodCertificate(sink: Sink, field: string, certificate: PodCertificateProjection, take: (path: string, shown: string) => void): void {
  const { signerName = '', keyType, maxExpirationSeconds: seconds, userAnnotations } = certificate;
  sink.push(...validateSignerName(signerName, `${field}.signerName`));
  for (const key of Object.keys(userAnnotations ?? {})) {
    for (const message of isQualifiedName(key.toLowerCase())) sink.push(invalid(`${field}.userAnnotations`, key, message));
  }
  if (!KEY_TYPES.includes(keyType)) sink.push(notSupported(`${field}.keyType`, keyType ?? '', KEY_TYPES));
  if (seconds !== undefined) {
    const most = /^([^/]*\.)?kubernetes\.io\//.test(signerName) ? DAY : 91 * DAY;
    if (seconds < 3600) sink.push(invalid(`${field}.maxExpirationSeconds`, seconds, 'if provided, maxExpirationSeconds must be >= 3600'));
    if (seconds > most) sink.push(invalid(`${field}.maxExpirationSeconds`, seconds, `if provided, maxExpirationSeconds must be <= ${most}`));
  }
  let count = 0;
  for (const key of ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const) {
    const path = certificate[key];
    if (!path) continue;
    count++;
    addLocalPath(sink, `${field}.${key}`, path);
    take(path, path);
  }
  if (count === 0) sink.push(required(field, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'));
}
