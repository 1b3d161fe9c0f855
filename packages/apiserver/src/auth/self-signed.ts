import { keptSelfSigned } from '@coxswain/pki';

export interface SelfSignedOptions {
  /** Folder it is kept in, made when it is missing. */
  readonly folder: string;
  /** What the server is reached at; its certificate is also for localhost and the names of the `kubernetes` Service. */
  readonly hosts: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const SERVICE = ['kubernetes.default.svc', 'kubernetes.default', 'kubernetes', 'localhost'];

/** The files `apiserver.crt` and `apiserver.key` of the API server's own making. Clients that trust the first trust the server. */
export async function selfSignedFiles({ folder, hosts, now }: SelfSignedOptions): Promise<{ readonly cert: string; readonly key: string }> {
  const { certFile, keyFile } = await keptSelfSigned(folder, 'apiserver', [...hosts, '127.0.0.1', ...SERVICE], now);
  return { cert: certFile, key: keyFile };
}
