import type { ImageService as CriImageService, RuntimeService as CriRuntimeService } from '@coxswain/cri';
import { token } from './token.js';

export type { CallContext, CriError } from '@coxswain/cri';

/** A container runtime: CRI v1's RuntimeService as plain async methods. Contract: @coxswain/cri, held by `criSuite`. */
export interface RuntimeService extends CriRuntimeService {}

export const RuntimeService = token<RuntimeService>('coxswain.cri.runtime.v1');

/** An image store: CRI v1's ImageService as plain async methods. */
export interface ImageService extends CriImageService {}

export const ImageService = token<ImageService>('coxswain.cri.image.v1');
