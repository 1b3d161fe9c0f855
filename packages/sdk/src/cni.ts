import type { CniPlugin as CniPluginContract } from '@coxswain/cni';
import { token } from './token.js';

export {
  type CapabilityArgs,
  CniError,
  CniErrorCode,
  type CniGcRequest,
  type CniInvoker,
  type CniNetworkRequest,
  type CniRequest,
  type CniResult,
  type PluginConf,
} from '@coxswain/cni';

/** A network plugin. The contract is written in @coxswain/cni and held by `cniSuite` in @coxswain/sdk-testing. */
export interface CniPlugin extends CniPluginContract {}

/** Bind every plugin a package offers under this one token (multi-injected): `bridge`, `host-local`… by their `type`. */
export const CniPlugin = token<CniPlugin>('coxswain.cni.v1');
