import { DelegatedAuth } from '@coxswain/client';
import { cipherList } from '@coxswain/pki';
import { type ComponentServing, systemClock } from '@coxswain/sdk';
import { CliError } from '../cli-error.js';
import type { ServingFlags } from '../component-flags.js';
import { processFlags } from '../process-flags.js';
import { readFlagFile } from '../read-flag-file.js';
import { kubeClient } from './kube-client.js';
import { servingCertificate } from './serving-certificate.js';

/** What a component's flags say of its server; undefined: it serves nothing. `name` names the certificate, and who asks the API server. */
export async function componentServing(flags: ServingFlags, name: string): Promise<ComponentServing | undefined> {
  if (flags.securePort === 0) return undefined;
  const pair = await certificate(flags, name);
  const auth = delegatedAuth(flags, name);
  const ciphers = cipherList(flags.tlsCipherSuites ?? [], (suite) => {
    throw new CliError(`--tls-cipher-suites: ${JSON.stringify(suite)} is not known`, undefined, 2);
  });
  return {
    bindAddress: flags.bindAddress,
    securePort: flags.securePort,
    tls: {
      ...pair,
      ...(flags.tlsMinVersion && { minVersion: flags.tlsMinVersion === 'VersionTLS13' ? 'TLSv1.3' : 'TLSv1.2' }),
      ...(ciphers && { ciphers }),
    },
    authorize: auth.check,
    profiling: flags.profiling,
    zPages: { component: name, flags: processFlags() },
  };
}

async function certificate({ tlsCertFile, tlsPrivateKeyFile, certDir, bindAddress }: ServingFlags, name: string) {
  if (tlsCertFile && tlsPrivateKeyFile)
    return { cert: readFlagFile('--tls-cert-file', tlsCertFile), key: readFlagFile('--tls-private-key-file', tlsPrivateKeyFile) };
  if (tlsCertFile || tlsPrivateKeyFile)
    throw new CliError('--tls-cert-file and --tls-private-key-file go together', 'give both, or neither: then a certificate is made', 2);
  return servingCertificate({ folder: certDir, name, bindAddress, clock: systemClock });
}

function delegatedAuth(flags: ServingFlags, name: string): DelegatedAuth {
  const reviewer = (kubeconfig: string | undefined) => (kubeconfig ? kubeClient({ kubeconfig }, `${name}/delegated-auth`) : undefined);
  const authentication = reviewer(flags.authenticationKubeconfig);
  const authorization = reviewer(flags.authorizationKubeconfig);
  return new DelegatedAuth({
    ...(authentication && { authentication }),
    ...(authorization && { authorization }),
    ...(flags.clientCaFile && { clientCa: readFlagFile('--client-ca-file', flags.clientCaFile) }),
    ...(flags.requestheaderClientCaFile && {
      requestHeader: {
        clientCa: readFlagFile('--requestheader-client-ca-file', flags.requestheaderClientCaFile),
        allowedNames: flags.requestheaderAllowedNames,
        usernameHeaders: flags.requestheaderUsernameHeaders,
        groupHeaders: flags.requestheaderGroupHeaders,
        extraHeaderPrefixes: flags.requestheaderExtraHeadersPrefix,
      },
    }),
    alwaysAllowPaths: flags.authorizationAlwaysAllowPaths,
    times: {
      tokenMs: flags.authenticationTokenWebhookCacheTtl * 1000,
      allowedMs: flags.authorizationWebhookCacheAuthorizedTtl * 1000,
      deniedMs: flags.authorizationWebhookCacheUnauthorizedTtl * 1000,
    },
    clock: systemClock,
  });
}
