import type { Volume } from '../../generated/types.js';
import { driverName } from '../common.js';
import { duplicate, forbidden, invalid, required } from '../errors.js';
import { isDNS1123Label, isDNS1123Subdomain } from '../names.js';
import { addDescendingPath, addNoBacksteps } from '../paths.js';
import { validateClaimTemplate } from '../persistent-volume-claim.js';
import { compareQuantities } from '../../quantity/arithmetic.js';
import { addEnum, addSyntax, addText, type Sink } from '../sink.js';
import {
  addAzureDisk,
  addCloudDisk,
  addFibreChannel,
  addFlex,
  addFlocker,
  addHostPathType,
  addIscsi,
  addMonitors,
  addQuobyte,
  addRequired,
  addSecretRef,
  PORTAL_TOO_LONG,
} from '../volume/attached.js';
import { addDownwardFile, addItems, addMode, addProjected } from '../volume/projected.js';
import { PULL_POLICIES } from './containers.js';
import type { PodOptions } from './options.js';

/** Adds what is wrong and gives the volumes that are right, by name. `podName`: of a pod, not of a template. */
export function addVolumes(sink: Sink, field: string, volumes: readonly Volume[], podName: string | undefined, options: PodOptions): Map<string, Volume> {
  const known = new Map<string, Volume>();
  for (const [index, volume] of volumes.entries()) {
    const at = `${field}[${index}]`;
    const before = sink.length;
    addSource(sink, at, volume, podName, options);
    addText(sink, `${at}.name`, volume.name, isDNS1123Label);
    if (known.has(volume.name)) sink.push(duplicate(`${at}.name`, volume.name));
    if (sink.length === before) known.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (podName && claim && volumes.some(({ ephemeral, name }) => ephemeral && `${podName}-${name}` === claim)) {
      sink.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, 'must not reference a PVC that gets created for an ephemeral volume'));
    }
  }
  return known;
}

type Source = Exclude<keyof Volume, 'name'>;
type Check = (sink: Sink, field: string, volume: Volume, podName: string | undefined, options: PodOptions) => void;

const needs =
  (source: Source, ...names: string[]): Check =>
  (sink, field, volume) =>
    addRequired(sink, `${field}.${source}`, volume[source] as object, names);

/** In the order in which upstream looks for them: of two, the first is the volume's and the second is too many. */
const SOURCES: readonly (readonly [source: Source, check: Check])[] = [
  [
    'emptyDir',
    (sink, field, { emptyDir }) => {
      if (emptyDir?.sizeLimit !== undefined && compareQuantities(emptyDir.sizeLimit, '0') < 0) {
        sink.push(forbidden(`${field}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
      }
    },
  ],
  [
    'hostPath',
    (sink, field, { hostPath }) => {
      if (!hostPath?.path) return void sink.push(required(`${field}.hostPath.path`));
      addNoBacksteps(sink, `${field}.hostPath.path`, hostPath.path);
      addHostPathType(sink, `${field}.hostPath.type`, hostPath.type);
    },
  ],
  [
    'gitRepo',
    (sink, field, { gitRepo }) => {
      if (!gitRepo?.repository) sink.push(required(`${field}.gitRepo.repository`));
      addDescendingPath(sink, `${field}.gitRepo.directory`, gitRepo?.directory ?? '');
    },
  ],
  ['gcePersistentDisk', (sink, field, { gcePersistentDisk }) => addCloudDisk(sink, `${field}.persistentDisk`, 'pdName', gcePersistentDisk ?? {})],
  [
    'awsElasticBlockStore',
    (sink, field, { awsElasticBlockStore }) => addCloudDisk(sink, `${field}.awsElasticBlockStore`, 'volumeID', awsElasticBlockStore ?? {}),
  ],
  [
    'secret',
    (sink, field, { secret }) => {
      if (!secret?.secretName) sink.push(required(`${field}.secret.secretName`));
      addMode(sink, `${field}.secret.defaultMode`, secret?.defaultMode);
      addItems(sink, `${field}.secret.items`, secret?.items);
    },
  ],
  [
    'nfs',
    (sink, field, { nfs }) => {
      addRequired(sink, `${field}.nfs`, nfs ?? {}, ['server', 'path']);
      if (!nfs?.path?.startsWith('/')) sink.push(invalid(`${field}.nfs.path`, nfs?.path ?? '', 'must be an absolute path'));
    },
  ],
  [
    'iscsi',
    (sink, field, { name, iscsi }) => {
      if (!iscsi) return;
      addIscsi(sink, `${field}.iscsi`, iscsi, 'must be valid format starting with iqn, eui, or naa');
      if (iscsi.initiatorName !== undefined && `${name}:${iscsi.targetPortal}`.length > 64) sink.push(invalid(`${field}.name`, name, PORTAL_TOO_LONG));
    },
  ],
  ['glusterfs', needs('glusterfs', 'endpoints', 'path')],
  ['flocker', (sink, field, { flocker }) => addFlocker(sink, `${field}.flocker`, flocker ?? {})],
  ['persistentVolumeClaim', needs('persistentVolumeClaim', 'claimName')],
  [
    'rbd',
    (sink, field, { rbd }) => {
      addMonitors(sink, `${field}.rbd`, rbd ?? {});
      if (!rbd?.image) sink.push(required(`${field}.rbd.image`));
    },
  ],
  [
    'cinder',
    (sink, field, { cinder }) => {
      if (!cinder?.volumeID) sink.push(required(`${field}.cinder.volumeID`));
      addSecretRef(sink, `${field}.cinder.secretRef`, cinder?.secretRef);
    },
  ],
  ['cephfs', (sink, field, { cephfs }) => addMonitors(sink, `${field}.cephfs`, cephfs ?? {})],
  ['quobyte', (sink, field, { quobyte }) => quobyte && addQuobyte(sink, `${field}.quobyte`, quobyte)],
  [
    'downwardAPI',
    (sink, field, { downwardAPI }) => {
      addMode(sink, `${field}.downwardAPI.defaultMode`, downwardAPI?.defaultMode);
      for (const file of downwardAPI?.items ?? []) addDownwardFile(sink, `${field}.downwardAPI`, file);
    },
  ],
  ['fc', (sink, field, { fc }) => addFibreChannel(sink, `${field}.fc`, fc ?? {})],
  ['flexVolume', (sink, field, { flexVolume }) => flexVolume && addFlex(sink, `${field}.flexVolume`, flexVolume)],
  [
    'configMap',
    (sink, field, { configMap }) => {
      if (!configMap?.name) sink.push(required(`${field}.configMap.name`));
      addMode(sink, `${field}.configMap.defaultMode`, configMap?.defaultMode);
      addItems(sink, `${field}.configMap.items`, configMap?.items);
    },
  ],
  ['azureFile', needs('azureFile', 'secretName', 'shareName')],
  ['vsphereVolume', needs('vsphereVolume', 'volumePath')],
  ['photonPersistentDisk', needs('photonPersistentDisk', 'pdID')],
  ['portworxVolume', needs('portworxVolume', 'volumeID')],
  ['azureDisk', (sink, field, { azureDisk }) => azureDisk && addAzureDisk(sink, `${field}.azureDisk`, azureDisk)],
  [
    'storageos',
    (sink, field, { storageos }) => {
      addText(sink, `${field}.storageos.volumeName`, storageos?.volumeName, isDNS1123Label);
      const namespace = storageos?.volumeNamespace;
      if (namespace) addSyntax(sink, `${field}.storageos.volumeNamespace`, namespace, isDNS1123Label(namespace));
      addSecretRef(sink, `${field}.storageos.secretRef`, storageos?.secretRef);
    },
  ],
  ['projected', (sink, field, { projected }, _, { anyTokenPath }) => projected && addProjected(sink, `${field}.projected`, projected, anyTokenPath)],
  ['scaleIO', needs('scaleIO', 'gateway', 'system', 'volumeName')],
  [
    'csi',
    (sink, field, { csi }) => {
      sink.push(...driverName(csi?.driver, `${field}.csi.driver`));
      const secret = csi?.nodePublishSecretRef;
      if (secret && !secret.name) sink.push(required(`${field}.csi.nodePublishSecretRef.name`));
      else if (secret?.name) addSyntax(sink, `${field}.csi.name`, secret.name, isDNS1123Subdomain(secret.name));
    },
  ],
  [
    'ephemeral',
    (sink, field, { name, ephemeral }, podName) => {
      if (!ephemeral?.volumeClaimTemplate) sink.push(required(`${field}.ephemeral.volumeClaimTemplate`));
      else sink.push(...validateClaimTemplate(ephemeral.volumeClaimTemplate, `${field}.ephemeral.volumeClaimTemplate`));
      if (!podName || !name) return;
      const claim = `${podName}-${name}`;
      for (const message of isDNS1123Subdomain(claim)) sink.push(invalid(`${field}.name`, name, `PVC name ${JSON.stringify(claim)}: ${message}`));
    },
  ],
  [
    'image',
    (sink, field, { image }, _, { emptyImageReference }) => {
      if (!image?.reference && !emptyImageReference) sink.push(required(`${field}.image.reference`));
      addEnum(sink, `${field}.image.pullPolicy`, image?.pullPolicy, PULL_POLICIES);
    },
  ],
];

/** How upstream calls two of them when they are too many. */
const TOO_MANY_AS: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

function addSource(sink: Sink, field: string, volume: Volume, podName: string | undefined, options: PodOptions): void {
  let found = false;
  for (const [source, check] of SOURCES) {
    if (!volume[source]) continue;
    if (found) sink.push(forbidden(`${field}.${TOO_MANY_AS[source] ?? source}`, 'may not specify more than 1 volume type'));
    else check(sink, field, volume, podName, options);
    found = true;
  }
  if (!found) sink.push(required(field, 'must specify a volume type'));
}
