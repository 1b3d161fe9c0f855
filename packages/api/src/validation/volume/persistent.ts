import type { PersistentVolumeSpec, SecretReference } from '../../generated/types.js';
import { driverName } from '../common.js';
import { invalid, required } from '../errors.js';
import { isDNS1123Label, isDNS1123Subdomain } from '../names.js';
import { addNoBacksteps } from '../paths.js';
import { addSyntax, addText, type Sink } from '../sink.js';
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
} from './attached.js';

export type PersistentSource =
  | 'hostPath'
  | 'gcePersistentDisk'
  | 'awsElasticBlockStore'
  | 'glusterfs'
  | 'flocker'
  | 'nfs'
  | 'rbd'
  | 'quobyte'
  | 'cephfs'
  | 'iscsi'
  | 'cinder'
  | 'fc'
  | 'flexVolume'
  | 'azureFile'
  | 'vsphereVolume'
  | 'photonPersistentDisk'
  | 'portworxVolume'
  | 'azureDisk'
  | 'scaleIO'
  | 'local'
  | 'storageos'
  | 'csi';

type Check = (sink: Sink, field: string, spec: PersistentVolumeSpec, name: string) => void;

const needs =
  (source: PersistentSource, ...names: string[]): Check =>
  (sink, field, spec) =>
    addRequired(sink, `${field}.${source}`, spec[source] as object, names);

/** What is behind a persistent volume, in the order in which upstream looks for it. */
export const PERSISTENT_SOURCES: readonly (readonly [source: PersistentSource, check: Check])[] = [
  [
    'hostPath',
    (sink, field, { hostPath }) => {
      if (!hostPath?.path) return void sink.push(required(`${field}.hostPath.path`));
      addNoBacksteps(sink, `${field}.hostPath.path`, hostPath.path);
      addHostPathType(sink, `${field}.hostPath.type`, hostPath.type);
    },
  ],
  ['gcePersistentDisk', (sink, field, { gcePersistentDisk }) => addCloudDisk(sink, `${field}.persistentDisk`, 'pdName', gcePersistentDisk ?? {})],
  [
    'awsElasticBlockStore',
    (sink, field, { awsElasticBlockStore }) => addCloudDisk(sink, `${field}.awsElasticBlockStore`, 'volumeID', awsElasticBlockStore ?? {}),
  ],
  [
    'glusterfs',
    (sink, field, { glusterfs }) => {
      addRequired(sink, `${field}.glusterfs`, glusterfs ?? {}, ['endpoints', 'path']);
      const namespace = glusterfs?.endpointsNamespace;
      const at = `${field}.glusterfs.endpointsNamespace`;
      if (namespace === '') sink.push(invalid(at, namespace, 'if the endpointnamespace is set, it must be a valid namespace name'));
      else if (namespace !== undefined) addSyntax(sink, at, namespace, isDNS1123Label(namespace));
    },
  ],
  ['flocker', (sink, field, { flocker }) => addFlocker(sink, `${field}.flocker`, flocker ?? {})],
  [
    'nfs',
    (sink, field, { nfs }) => {
      addRequired(sink, `${field}.nfs`, nfs ?? {}, ['server', 'path']);
      if (!nfs?.path?.startsWith('/')) sink.push(invalid(`${field}.nfs.path`, nfs?.path ?? '', 'must be an absolute path'));
    },
  ],
  [
    'rbd',
    (sink, field, { rbd }) => {
      addMonitors(sink, `${field}.rbd`, rbd ?? {});
      if (!rbd?.image) sink.push(required(`${field}.rbd.image`));
    },
  ],
  ['quobyte', (sink, field, { quobyte }) => quobyte && addQuobyte(sink, `${field}.quobyte`, quobyte)],
  ['cephfs', (sink, field, { cephfs }) => addMonitors(sink, `${field}.cephfs`, cephfs ?? {})],
  [
    'iscsi',
    (sink, field, { iscsi }, name) => {
      if (!iscsi) return;
      const { initiatorName, targetPortal, secretRef } = iscsi;
      addIscsi(sink, `${field}.iscsi`, iscsi, 'must be valid format');
      if (initiatorName !== undefined && `${name}:${targetPortal}`.length > 64)
        sink.push(invalid(`${field}.iscsi.targetportal`, targetPortal, PORTAL_TOO_LONG));
      addSecretRef(sink, `${field}.iscsi.secretRef`, secretRef);
    },
  ],
  [
    'cinder',
    (sink, field, { cinder }) => {
      if (!cinder?.volumeID) sink.push(required(`${field}.cinder.volumeID`));
      addSecretRef(sink, `${field}.cinder.secretRef`, cinder?.secretRef, true);
    },
  ],
  ['fc', (sink, field, { fc }) => addFibreChannel(sink, `${field}.fc`, fc ?? {})],
  ['flexVolume', (sink, field, { flexVolume }) => flexVolume && addFlex(sink, `${field}.flexVolume`, flexVolume)],
  [
    'azureFile',
    (sink, field, { azureFile }) => {
      addRequired(sink, `${field}.azureFile`, azureFile ?? {}, ['secretName', 'shareName']);
      if (azureFile?.secretNamespace === '') sink.push(required(`${field}.azureFile.secretNamespace`));
    },
  ],
  ['vsphereVolume', needs('vsphereVolume', 'volumePath')],
  ['photonPersistentDisk', needs('photonPersistentDisk', 'pdID')],
  ['portworxVolume', needs('portworxVolume', 'volumeID')],
  ['azureDisk', (sink, field, { azureDisk }) => azureDisk && addAzureDisk(sink, `${field}.azureDisk`, azureDisk)],
  ['scaleIO', needs('scaleIO', 'gateway', 'system', 'volumeName')],
  [
    'local',
    (sink, field, { local, nodeAffinity }) => {
      if (!local?.path) sink.push(required(`${field}.local.path`));
      else addNoBacksteps(sink, `${field}.local.path`, local.path);
      if (!nodeAffinity) sink.push(required(`${field}.nodeAffinity`, 'Local volume requires node affinity'));
    },
  ],
  [
    'storageos',
    (sink, field, { storageos }) => {
      addText(sink, `${field}.storageos.volumeName`, storageos?.volumeName, isDNS1123Label);
      const namespace = storageos?.volumeNamespace;
      if (namespace) addSyntax(sink, `${field}.storageos.volumeNamespace`, namespace, isDNS1123Label(namespace));
      addSecretRef(sink, `${field}.storageos.secretRef`, storageos?.secretRef, true);
    },
  ],
  [
    'csi',
    (sink, field, { csi }) => {
      sink.push(...driverName(csi?.driver, `${field}.csi.driver`));
      if (!csi?.volumeHandle) sink.push(required(`${field}.csi.volumeHandle`));
      for (const key of ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const) {
        addSecret(sink, `${field}.csi.${key}`, csi?.[key]);
      }
    },
  ],
];

function addSecret(sink: Sink, field: string, secret: SecretReference | undefined): void {
  if (!secret) return;
  addText(sink, `${field}.name`, secret.name, isDNS1123Subdomain);
  addText(sink, `${field}.namespace`, secret.namespace, isDNS1123Label);
}
