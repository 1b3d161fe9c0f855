import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  ISCSIVolumeSource,
  QuobyteVolumeSource,
} from '../../generated/types.js';
import { invalid, notSupported, required } from '../errors.js';
import { rangeError } from '../names.js';
import { addOptionalEnum, type Sink } from '../sink.js';

/** Sources that pods and persistent volumes have in common. */

const IQN = /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/;
const EUI = /^eui.[a-zA-Z0-9]{16}$/;
const NAA = /^naa.[a-zA-Z0-9]{32}$/;

const isQualified = (name: string): boolean =>
  (!name.startsWith('iqn') || IQN.test(name)) && (!name.startsWith('eui') || EUI.test(name)) && (!name.startsWith('naa') || NAA.test(name));
const isKnownFormat = (name: string): boolean => /^(iqn|eui|naa)/.test(name);

type Iscsi = Pick<ISCSIVolumeSource, 'targetPortal' | 'iqn' | 'lun' | 'chapAuthDiscovery' | 'chapAuthSession' | 'initiatorName'> & {
  secretRef?: { name?: string };
};

/** `unknown`: what is said of a name that is of none of the formats. */
export function addIscsi(sink: Sink, field: string, iscsi: Iscsi, unknown: string): void {
  const { targetPortal, iqn, lun, initiatorName, secretRef } = iscsi;
  if (!targetPortal) sink.push(required(`${field}.targetPortal`));
  if (!iqn) sink.push(required(`${field}.iqn`));
  else if (!isKnownFormat(iqn)) sink.push(invalid(`${field}.iqn`, iqn, unknown));
  else if (!isQualified(iqn)) sink.push(invalid(`${field}.iqn`, iqn, 'must be valid format'));
  if (lun < 0 || lun > 255) sink.push(invalid(`${field}.lun`, lun, rangeError(0, 255)));
  if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !secretRef) sink.push(required(`${field}.secretRef`));
  if (initiatorName === undefined) return;
  if (!isKnownFormat(initiatorName)) sink.push(invalid(`${field}.initiatorname`, initiatorName, unknown));
  else if (!isQualified(initiatorName)) sink.push(invalid(`${field}.initiatorname`, initiatorName, 'must be valid format'));
}

export const PORTAL_TOO_LONG = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

export function addFibreChannel(sink: Sink, field: string, { targetWWNs = [], wwids = [], lun }: FCVolumeSource): void {
  if (targetWWNs.length === 0 && wwids.length === 0) sink.push(required(`${field}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  if (targetWWNs.length > 0 && wwids.length > 0) {
    sink.push(invalid(`${field}.targetWWNs`, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  }
  if (targetWWNs.length === 0) return;
  if (lun === undefined) sink.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'));
  else if (lun < 0 || lun > 255) sink.push(invalid(`${field}.lun`, lun, rangeError(0, 255)));
}

/** Disks of clouds: an id, and a partition of it. */
export function addCloudDisk(sink: Sink, field: string, id: 'pdName' | 'volumeID', disk: { pdName?: string; volumeID?: string; partition?: number }): void {
  if (!disk[id]) sink.push(required(`${field}.${id}`));
  const { partition = 0 } = disk;
  if (partition < 0 || partition > 255) sink.push(invalid(`${field}.partition`, partition, rangeError(1, 255)));
}

const isHostPort = (text: string): boolean => /^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(text);

export function addQuobyte(sink: Sink, field: string, { registry, tenant = '', volume }: QuobyteVolumeSource): void {
  const detail = 'must be a host:port pair or multiple pairs separated by commas';
  if (!registry) sink.push(required(`${field}.registry`, detail));
  else if (tenant.length >= 65) sink.push(required(`${field}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  else for (const pair of registry.split(',')) if (!isHostPort(pair)) sink.push(invalid(`${field}.registry`, registry, detail));
  if (!volume) sink.push(required(`${field}.volume`));
}

export function addFlocker(sink: Sink, field: string, { datasetName = '', datasetUUID = '' }: FlockerVolumeSource): void {
  if (!datasetName && !datasetUUID) sink.push(required(field, 'one of datasetName and datasetUUID is required'));
  if (datasetName && datasetUUID) sink.push(invalid(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  if (datasetName.includes('/')) sink.push(invalid(`${field}.datasetName`, datasetName, "must not contain '/'"));
}

export function addFlex(sink: Sink, field: string, { driver, options = {} }: Pick<FlexVolumeSource, 'driver' | 'options'>): void {
  if (!driver) sink.push(required(`${field}.driver`));
  for (const key of Object.keys(options)) {
    const namespace = `.${key.split('/', 1)[0]?.toLowerCase()}`;
    if (namespace.endsWith('.kubernetes.io') || namespace.endsWith('.k8s.io')) {
      sink.push(invalid(`${field}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
    }
  }
}

const MANAGED_URI = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

export function addAzureDisk(sink: Sink, field: string, { diskName, diskURI = '', cachingMode, kind }: AzureDiskVolumeSource): void {
  if (!diskName) sink.push(required(`${field}.diskName`));
  if (!diskURI) sink.push(required(`${field}.diskURI`));
  addOptionalEnum(sink, `${field}.cachingMode`, cachingMode, ['None', 'ReadOnly', 'ReadWrite']);
  addOptionalEnum(sink, `${field}.kind`, kind, ['Dedicated', 'Managed', 'Shared']);
  if (kind === undefined) return;
  const [prefix, example] = kind === 'Managed' ? ['/subscriptions/', MANAGED_URI] : ['https://', BLOB_URI];
  if (!diskURI.startsWith(prefix)) sink.push(notSupported(`${field}.diskURI`, diskURI, [example]));
}

/** Text fields that a source cannot do without. */
export function addRequired(sink: Sink, field: string, source: object, names: readonly string[]): void {
  for (const name of names) if (!(source as Record<string, string | undefined>)[name]) sink.push(required(`${field}.${name}`));
}

/** Lists of monitors, one of which at least has to be there. */
export function addMonitors(sink: Sink, field: string, { monitors = [] }: { readonly monitors?: readonly string[] }): void {
  if (monitors.length === 0) sink.push(required(`${field}.monitors`));
}

/** The name of a secret, and with `namespaced` the namespace it is in. */
export function addSecretRef(sink: Sink, field: string, ref: { readonly name?: string; readonly namespace?: string } | undefined, namespaced = false): void {
  if (!ref) return;
  if (!ref.name) sink.push(required(`${field}.name`));
  if (namespaced && !ref.namespace) sink.push(required(`${field}.namespace`));
}

const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

export const addHostPathType = (sink: Sink, field: string, type: string | undefined): void => addOptionalEnum(sink, field, type, HOST_PATH_TYPES);
