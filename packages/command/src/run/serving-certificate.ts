import { hostname } from 'node:os';
import { keptSelfSigned, type KeyPairPem, selfSigned } from '@coxswain/pki';
import type { Clock } from '@coxswain/sdk';
import { CliError } from '../cli-error.js';

export interface ServingCertificateOptions {
  /** Where the pair is kept as NAME.crt and NAME.key; empty: nowhere. */
  readonly folder: string;
  readonly name: string;
  readonly bindAddress: string;
  readonly clock: Clock;
}

/** A component's serving certificate, when it was given none: the one in the folder, or a new one signed by an authority of its own. */
export async function servingCertificate({ folder, name, bindAddress, clock }: ServingCertificateOptions): Promise<KeyPairPem> {
  const any = bindAddress === '0.0.0.0' || bindAddress === '::';
  const hosts = [hostname().toLowerCase(), 'localhost', '127.0.0.1', '::1', ...(any ? [] : [bindAddress])];
  if (folder === '') return selfSigned(hosts, clock.now());
  try {
    return await keptSelfSigned(folder, name, hosts, clock.now());
  } catch (error) {
    throw new CliError(`--cert-dir: ${(error as Error).message}`, 'name a folder that can be written to, or give --tls-cert-file', 1, { cause: error });
  }
}
