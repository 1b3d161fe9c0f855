import { defaultCSIDriver, defaultStorageClass } from '../defaults/others.js';
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass } from '../generated/types.js';
import {
  capacityWarnings,
  storageClassWarnings,
  validateCSIDriver,
  validateCSIDriverUpdate,
  validateCSINode,
  validateCSINodeUpdate,
  validateCSIStorageCapacity,
  validateCSIStorageCapacityUpdate,
  validateStorageClass,
  validateStorageClassUpdate,
  validateVolumeAttachment,
  validateVolumeAttachmentUpdate,
  validateVolumeAttributesClass,
  validateVolumeAttributesClassUpdate,
} from '../validation/storage.js';
import type { StrategyParts } from './lifecycle.js';

export const storageClassStrategy: StrategyParts = {
  default: (object) => defaultStorageClass(object as StorageClass),
  validate: (object) => validateStorageClass(object as StorageClass),
  validateUpdate: (object, old) => validateStorageClassUpdate(object as StorageClass, old as StorageClass),
  warnings: (object) => storageClassWarnings(object as StorageClass),
};

export const csiDriverStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultCSIDriver(object as CSIDriver),
  validate: (object) => validateCSIDriver(object as CSIDriver),
  validateUpdate: (object, old) => validateCSIDriverUpdate(object as CSIDriver, old as CSIDriver),
  allowUnconditionalUpdate: false,
};

export const csiNodeStrategy: StrategyParts = {
  validate: (object) => validateCSINode(object as CSINode),
  validateUpdate: (object, old) => validateCSINodeUpdate(object as CSINode, old as CSINode),
  allowUnconditionalUpdate: false,
};

export const csiStorageCapacityStrategy: StrategyParts = {
  validate: (object, old) => validateCSIStorageCapacity(object as CSIStorageCapacity, old as CSIStorageCapacity | undefined),
  warnings: (object) => capacityWarnings(object as CSIStorageCapacity),
  validateUpdate: (object, old) => validateCSIStorageCapacityUpdate(object as CSIStorageCapacity, old as CSIStorageCapacity),
  allowUnconditionalUpdate: false,
};

export const volumeAttachmentStrategy: StrategyParts = {
  validate: (object) => validateVolumeAttachment(object as VolumeAttachment),
  validateUpdate: (object, old) => validateVolumeAttachmentUpdate(object as VolumeAttachment, old as VolumeAttachment),
  allowUnconditionalUpdate: false,
};

export const volumeAttributesClassStrategy: StrategyParts = {
  validate: (object) => validateVolumeAttributesClass(object as VolumeAttributesClass),
  validateUpdate: (object, old) => validateVolumeAttributesClassUpdate(object as VolumeAttributesClass, old as VolumeAttributesClass),
};
