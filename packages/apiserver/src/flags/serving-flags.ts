import { isIP } from 'node:net';
import type { FlagReader, FlagTable } from './flag-reader.js';

export interface RequestHeaderConfig {
  readonly clientCAFile: string;
  readonly allowedNames: readonly string[];
  readonly userHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraPrefixes: readonly string[];
}

/** Where the API is served, and how connections are kept. */
export interface ServingConfig {
  readonly bindAddress: string;
  readonly securePort: number;
  /** Undefined: the host's own address. */
  readonly advertiseAddress: string | undefined;
  readonly externalHostname: string | undefined;
  readonly clientCAFile: string | undefined;
  readonly requestHeader: RequestHeaderConfig | undefined;
  readonly corsAllowedOrigins: readonly RegExp[];
  readonly hstsDirectives: readonly string[];
  /** Of one connection; undefined: the server's own. */
  readonly http2MaxStreams: number | undefined;
  /** Part of the requests after which their connection is ended: 0 to 0.02. */
  readonly goawayChance: number;
  /** How long a stopping server goes on serving, while `/readyz` says no already. */
  readonly shutdownDelayMs: number;
}

export const servingFlags: FlagTable = {
  'advertise-address': "Address pods and other nodes reach the API server at (default: --bind-address, else the host's)",
  'bind-address': 'Address to listen on (default 0.0.0.0)',
  'client-ca-file': 'PEM bundle that signs client certificates',
  'cors-allowed-origins': 'Regular expressions of origins whose pages may use the API',
  'external-hostname': 'Host name of URLs that lead here, in discovery and OpenID documents (default: the advertised address)',
  'goaway-chance': 'Part of the requests after which an HTTP/2 client is asked to connect anew, perhaps to another server (0 to 0.02, default 0)',
  'http2-max-streams-per-connection': 'Limit of requests at a time on one HTTP/2 connection (default 10000)',
  'requestheader-allowed-names': 'Common names of authenticating proxies (default: any the CA signed)',
  'requestheader-client-ca-file': "PEM bundle that signs authenticating proxies' certificates",
  'requestheader-extra-headers-prefix': 'Prefixes of headers with extra information of the user',
  'requestheader-group-headers': "Headers with the user's groups",
  'requestheader-uid-headers': "Headers with the user's uid",
  'requestheader-username-headers': "Headers with the user's name",
  'secure-port': 'Port to listen on (default 6443)',
  'shutdown-delay-duration': 'How long requests are served after the signal to stop, while /readyz fails (default 0s)',
  'strict-transport-security-directives': 'Directives of the Strict-Transport-Security header',
};

export function parseServingFlags(reader: FlagReader): ServingConfig {
  const bindAddress = reader.address('bind-address', '0.0.0.0');
  const anywhere = /^(0\.0\.0\.0|::)$/.test(bindAddress) || isIP(bindAddress) === 0;
  return {
    bindAddress,
    securePort: reader.number('secure-port', 6443, 0, 65_535),
    advertiseAddress: reader.text('advertise-address') ? reader.address('advertise-address', '') : anywhere ? undefined : bindAddress,
    externalHostname: reader.text('external-hostname'),
    clientCAFile: reader.text('client-ca-file'),
    requestHeader: requestHeaderOf(reader),
    corsAllowedOrigins: reader.list('cors-allowed-origins').flatMap((text) => originOf(reader, text)),
    hstsDirectives: hstsOf(reader),
    http2MaxStreams: reader.number('http2-max-streams-per-connection', 0, 0, 2 ** 31 - 1) || undefined,
    goawayChance: goawayOf(reader),
    shutdownDelayMs: reader.duration('shutdown-delay-duration', 0),
  };
}

function requestHeaderOf(reader: FlagReader): RequestHeaderConfig | undefined {
  const clientCAFile = reader.text('requestheader-client-ca-file');
  if (!clientCAFile) return undefined;
  return {
    clientCAFile,
    allowedNames: reader.list('requestheader-allowed-names'),
    userHeaders: reader.list('requestheader-username-headers', ['X-Remote-User']),
    uidHeaders: reader.list('requestheader-uid-headers'),
    groupHeaders: reader.list('requestheader-group-headers', ['X-Remote-Group']),
    extraPrefixes: reader.list('requestheader-extra-headers-prefix', ['X-Remote-Extra-']),
  };
}

/** An expression that is not held at both ends of the host lets strangers in: `example.com` also matches `example.com.evil.org`. */
function originOf(reader: FlagReader, text: string): RegExp[] {
  try {
    const origin = new RegExp(text);
    if (!/^\^|\/\//.test(text) || !/\$\)?$|\(:\|\$\)/.test(text))
      reader.problem('cors-allowed-origins', `${JSON.stringify(text)} does not pin to the start and end of the host: begin with ^ or //, end with $ or (:|$)`);
    return [origin];
  } catch (error) {
    reader.problem('cors-allowed-origins', (error as Error).message);
    return [];
  }
}

function hstsOf(reader: FlagReader): readonly string[] {
  const directives = reader.list('strict-transport-security-directives');
  for (const directive of directives)
    if (!/^(max-age=\d+|includeSubDomains|preload)$/i.test(directive))
      reader.problem('strict-transport-security-directives', `${JSON.stringify(directive)} is none of max-age=SECONDS, includeSubDomains, preload`);
  return directives;
}

function goawayOf(reader: FlagReader): number {
  const text = reader.text('goaway-chance') ?? '0';
  const chance = Number(text);
  if (!(chance >= 0 && chance <= 0.02)) reader.problem('goaway-chance', `${JSON.stringify(text)} is not between 0 and 0.02`);
  return chance;
}
