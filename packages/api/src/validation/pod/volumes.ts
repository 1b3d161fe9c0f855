import type { FieldError } from '../../field-error.js';
import type { DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume } from '../../generated/types.js';
import { each, nonNegativeQuantity, optionalEnum, requiredText, unique } from '../common.js';
import { forbidden, invalid, invalids, required } from '../errors.js';
import { isConfigMapKey, isDNS1123Label, isDNS1123Subdomain } from '../names.js';
import { validateClaimSpec } from '../persistent-volume-claim.js';
import { PULL_POLICIES } from './containers.js';
import { validateFieldRef, validateResourceFieldRef } from './env.js';

const VOLUME_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
const MODE = 'must be a number between 0 and 0777 (octal), both inclusive';

export function validateVolumes(volumes: readonly Volume[] | undefined, field: string): FieldError[] {
  return [
    ...unique(
      volumes ?? [],
      ({ name }) => name,
      (index) => `${field}[${index}].name`,
    ),
    ...each(volumes, field, (volume, path) => [...requiredText(volume.name, `${path}.name`, isDNS1123Label), ...validateSource(volume, path)]),
  ];
}

function validateSource(volume: Volume, field: string): FieldError[] {
  const given = Object.entries(volume).filter(([key, body]) => key !== 'name' && body !== undefined && body !== null);
  if (given.length === 0) return [required(field, 'must specify a volume type')];
  const [first, ...others] = given.map(([key]) => key);
  return [
    ...checkSource(volume, first ?? '', `${field}.${first}`),
    ...others.map((key) => forbidden(`${field}.${key}`, 'may not specify more than 1 volume type')),
  ];
}

/** The text fields a source cannot do without. */
const REQUIRED: Record<string, readonly string[]> = {
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  gitRepo: ['repository'],
  secret: ['secretName'],
  nfs: ['server', 'path'],
  iscsi: ['targetPortal', 'iqn'],
  glusterfs: ['endpoints', 'path'],
  persistentVolumeClaim: ['claimName'],
  rbd: ['image'],
  cinder: ['volumeID'],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  azureDisk: ['diskName', 'diskURI'],
  vsphereVolume: ['volumePath'],
  portworxVolume: ['volumeID'],
  quobyte: ['registry', 'volume'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  photonPersistentDisk: ['pdID'],
  csi: ['driver'],
  hostPath: ['path'],
};

export function requiredSourceFields(kind: string, source: unknown, field: string): FieldError[] {
  return (REQUIRED[kind] ?? []).flatMap((name) => requiredText((source as Record<string, string | undefined>)[name], `${field}.${name}`));
}

function checkSource(volume: Volume, kind: string, field: string): FieldError[] {
  const errors = requiredSourceFields(kind, (volume as unknown as Record<string, unknown>)[kind], field);
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, ephemeral, image, nfs } = volume;
  switch (kind) {
    case 'emptyDir':
      return emptyDir?.sizeLimit === undefined ? [] : nonNegativeQuantity(emptyDir.sizeLimit, `${field}.sizeLimit`);
    case 'hostPath':
      if (hostPath?.path.split('/').includes('..')) errors.push(invalid(`${field}.path`, hostPath.path, "must not contain '..'"));
      return [...errors, ...validateHostPathType(hostPath?.type, `${field}.type`)];
    case 'secret':
      return [...errors, ...validateMode(secret?.defaultMode, `${field}.defaultMode`), ...validateItems(secret?.items, `${field}.items`)];
    case 'configMap':
      return [
        ...requiredText(configMap?.name, `${field}.name`),
        ...validateMode(configMap?.defaultMode, `${field}.defaultMode`),
        ...validateItems(configMap?.items, `${field}.items`),
      ];
    case 'downwardAPI':
      return [...validateMode(downwardAPI?.defaultMode, `${field}.defaultMode`), ...validateFiles(downwardAPI?.items, `${field}.items`)];
    case 'projected':
      return projected ? validateProjected(projected, field) : [];
    case 'nfs':
      if (nfs?.path && !nfs.path.startsWith('/')) errors.push(invalid(`${field}.path`, nfs.path, 'must be an absolute path'));
      return errors;
    case 'ephemeral':
      if (!ephemeral?.volumeClaimTemplate) return [required(`${field}.volumeClaimTemplate`)];
      return validateClaimSpec(ephemeral.volumeClaimTemplate.spec, `${field}.volumeClaimTemplate.spec`);
    case 'image':
      return [...requiredText(image?.reference, `${field}.reference`), ...optionalEnum(image?.pullPolicy, `${field}.pullPolicy`, PULL_POLICIES)];
    default:
      return errors;
  }
}

const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];
export const validateHostPathType = (type: string | undefined, field: string): FieldError[] => optionalEnum(type, field, HOST_PATH_TYPES);

export const validateMode = (mode: number | undefined, field: string): FieldError[] =>
  mode !== undefined && (mode < 0 || mode > 0o777) ? [invalid(field, mode, MODE)] : [];

const validateItems = (items: readonly KeyToPath[] | undefined, field: string): FieldError[] =>
  each(items, field, ({ key, path, mode }, at) => [
    ...requiredText(key, `${at}.key`, isConfigMapKey),
    ...validateRelativePath(path, `${at}.path`),
    ...validateMode(mode, `${at}.mode`),
  ]);

/** A path inside a volume: not absolute, never up. */
export function validateRelativePath(path: string | undefined, field: string): FieldError[] {
  if (!path) return [required(field)];
  if (path.startsWith('/')) return [invalid(field, path, 'must be a relative path')];
  if (path.split('/').includes('..')) return [invalid(field, path, "must not contain '..'")];
  return path.startsWith('..') ? [invalid(field, path, "must not start with '..'")] : [];
}

const validateFiles = (files: readonly DownwardAPIVolumeFile[] | undefined, field: string): FieldError[] =>
  each(files, field, ({ path, fieldRef, resourceFieldRef, mode }, at) => {
    const errors = [...validateRelativePath(path, `${at}.path`), ...validateMode(mode, `${at}.mode`)];
    if (fieldRef && resourceFieldRef) errors.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    else if (fieldRef) errors.push(...validateFieldRef(fieldRef, `${at}.fieldRef`, VOLUME_FIELDS));
    else if (resourceFieldRef) errors.push(...validateResourceFieldRef(resourceFieldRef, `${at}.resourceFieldRef`, true));
    else errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
    return errors;
  });

function validateProjected({ defaultMode, sources }: ProjectedVolumeSource, field: string): FieldError[] {
  const paths = new Set<string>();
  const conflict = (path: string, at: string): FieldError[] => {
    if (paths.has(path)) return [invalid(at, path, 'conflicting duplicate paths')];
    paths.add(path);
    return [];
  };
  return [
    ...validateMode(defaultMode, `${field}.defaultMode`),
    ...each(sources, `${field}.sources`, (source, at) => {
      const given = Object.keys(source).filter((key) => source[key as keyof typeof source] !== undefined);
      if (given.length === 0) return [required(at, 'must specify a projection type')];
      const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
      const errors: FieldError[] = given.slice(1).map((key) => forbidden(`${at}.${key}`, 'may not specify more than 1 volume type per source'));
      for (const [kind, projection] of [
        ['secret', secret],
        ['configMap', configMap],
      ] as const) {
        if (!projection) continue;
        errors.push(...requiredText(projection.name, `${at}.${kind}.name`), ...validateItems(projection.items, `${at}.${kind}.items`));
        for (const { path } of projection.items ?? []) errors.push(...conflict(path, `${at}.${kind}`));
      }
      if (downwardAPI) {
        errors.push(...validateFiles(downwardAPI.items, `${at}.downwardAPI.items`));
        for (const { path } of downwardAPI.items ?? []) errors.push(...conflict(path, `${at}.downwardAPI`));
      }
      if (serviceAccountToken) {
        const seconds = serviceAccountToken.expirationSeconds ?? 3600;
        const path = `${at}.serviceAccountToken.expirationSeconds`;
        if (seconds < 600) errors.push(invalid(path, seconds, 'may not specify a duration less than 10 minutes'));
        if (seconds > 2 ** 32) errors.push(invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds'));
        if (serviceAccountToken.path) errors.push(...conflict(serviceAccountToken.path, `${at}.serviceAccountToken.path`));
        errors.push(...validateRelativePath(serviceAccountToken.path, `${at}.serviceAccountToken.path`));
      }
      if (clusterTrustBundle) {
        errors.push(...validateRelativePath(clusterTrustBundle.path, `${at}.clusterTrustBundle.path`));
        if (clusterTrustBundle.name && clusterTrustBundle.signerName) {
          errors.push(invalid(`${at}.clusterTrustBundle`, clusterTrustBundle, 'only one of name and signerName may be used'));
        }
      }
      if (podCertificate) errors.push(...requiredText(podCertificate.signerName, `${at}.podCertificate.signerName`));
      return errors;
    }),
  ];
}

/** References to secrets for pulling images. */
export const validatePullSecrets = (secrets: readonly { readonly name?: string }[] | undefined, field: string): FieldError[] =>
  each(secrets, field, ({ name }, at) => (name ? invalids(`${at}.name`, name, isDNS1123Subdomain(name)) : [required(`${at}.name`)]));
