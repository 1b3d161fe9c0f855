import type { ApiServerOptions } from '../api-server-options.js';

/** What kube-system/extension-apiserver-authentication says: whom servers of aggregated groups may believe. */
export function publishedAuthentication(clientCA: string | undefined, proxy: ApiServerOptions['frontProxy']): Record<string, string> {
  return {
    ...(clientCA ? { 'client-ca-file': clientCA } : {}),
    ...(proxy
      ? {
          'requestheader-client-ca-file': proxy.ca,
          'requestheader-allowed-names': JSON.stringify(proxy.allowedNames),
          'requestheader-username-headers': JSON.stringify(proxy.userHeaders),
          ...(proxy.uidHeaders?.length ? { 'requestheader-uid-headers': JSON.stringify(proxy.uidHeaders) } : {}),
          'requestheader-group-headers': JSON.stringify(proxy.groupHeaders),
          'requestheader-extra-headers-prefix': JSON.stringify(proxy.extraPrefixes),
        }
      : {}),
  };
}
