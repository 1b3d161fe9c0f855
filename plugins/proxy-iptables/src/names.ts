import { createHash } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 without padding. */
function base32(bytes: Uint8Array): string {
  let bits = 0;
  let held = 0;
  let out = '';
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return out;
}

/** Chains of a Service port: all endpoints, those of this node, the way in from outside, source ranges, one endpoint. */
export type PortChainKind = 'SVC' | 'SVL' | 'EXT' | 'FW' | 'SEP';

export type FixedChain =
  | 'KUBE-SERVICES'
  | 'KUBE-EXTERNAL-SERVICES'
  | 'KUBE-NODEPORTS'
  | 'KUBE-POSTROUTING'
  | 'KUBE-MARK-MASQ'
  | 'KUBE-MASQ-OUTSIDE'
  | 'KUBE-FORWARD'
  | 'KUBE-PROXY-FIREWALL';

/** Chain names are at most 28 characters, and `KUBE-EXTERNAL-SERVICES-` takes 23. */
const SUFFIX = /^[A-Z0-9]{0,5}$/;

/**
 * Names of chains. Without a suffix they are upstream kube-proxy's own, character by character. A suffix tells proxies of one
 * machine apart; hashes are shorter then, to leave it room.
 */
export class ChainNames {
  private readonly tail: string;
  private readonly hashLength: number;
  private readonly ownPort: RegExp;

  constructor(suffix = '') {
    if (!SUFFIX.test(suffix)) throw new TypeError(`suffix ${JSON.stringify(suffix)} must be at most five upper-case letters and digits`);
    this.tail = suffix === '' ? '' : `-${suffix}`;
    this.hashLength = suffix === '' ? 16 : 12;
    this.ownPort = new RegExp(`^KUBE-(SVC|SVL|EXT|FW|SEP)-[A-Z2-7]{${this.hashLength}}${this.tail}$`);
  }

  fixed(name: FixedChain): string {
    return `${name}${this.tail}`;
  }

  /** `key` is `namespace/name:port`; `endpoint` for SEP only. */
  port(kind: PortChainKind, key: string, protocol: string, endpoint = ''): string {
    const hash = base32(
      createHash('sha256')
        .update(`${portName(key)}${protocol}${endpoint}`)
        .digest(),
    ).slice(0, this.hashLength);
    return `KUBE-${kind}-${hash}${this.tail}`;
  }

  /** Whether a chain of this name belongs to a port of a proxy with this suffix. */
  isPort(chain: string): boolean {
    return this.ownPort.test(chain);
  }
}

/** As upstream writes a Service port: without a colon when the port has no name. */
export function portName(key: string): string {
  return key.endsWith(':') ? key.slice(0, -1) : key;
}
