import { bytesToIp, ipToBytes, parseCidr } from '../ip.js';
import { type Attribute, decodeAttributes, encodeMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, u32 } from './codec.js';
import { AF_INET, AF_INET6, RTM } from './rtnetlink.js';

const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, METRICS: 8, TABLE: 15 } as const;
const RTAX = { MTU: 2, ADVMSS: 8 } as const;
const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;
const RTNH_F_ONLINK = 4;

/** linux/rtnetlink.h: how far the destination is. */
export type RouteScope = 'global' | 'link' | 'host';
const SCOPES: Record<RouteScope, number> = { global: 0, link: 253, host: 254 };
const TABLE_MAIN = 254;

export interface RouteSpec {
  /** `0.0.0.0/0` and `::/0` are default routes. */
  readonly destination: string;
  readonly gateway?: string;
  readonly linkIndex?: number;
  /** Source address to prefer. */
  readonly source?: string;
  readonly scope?: RouteScope;
  readonly metric?: number;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly table?: number;
  /** The gateway is reachable on the link though no route says so. */
  readonly onlink?: boolean;
  /** Who made it (rtnetlink(7), rtm_protocol), so that it is found again. Default 4, static. A delete takes any unless given. */
  readonly protocol?: number;
}

export interface RouteInfo {
  readonly destination: string;
  readonly gateway?: string;
  readonly linkIndex?: number;
  readonly source?: string;
  readonly metric?: number;
  readonly scope: number;
  readonly table: number;
  /** linux/rtnetlink.h RTN_*: 1 unicast, 2 local, 3 broadcast… */
  readonly type: number;
  /** Who made it: 2 the kernel, 3 at boot, 4 static, others by daemons. */
  readonly protocol: number;
}

function routeMessage(type: number, flags: number, route: RouteSpec): Buffer {
  const { address, prefix } = parseCidr(route.destination);
  const bytes = ipToBytes(address);
  const removing = type === RTM.DELROUTE;
  const fixed = Buffer.alloc(12);
  fixed.writeUInt8(bytes.length === 4 ? AF_INET : AF_INET6, 0);
  fixed.writeUInt8(prefix, 1);
  fixed.writeUInt8(route.table !== undefined && route.table < 256 ? route.table : TABLE_MAIN, 4);
  fixed.writeUInt8(route.protocol ?? (removing ? 0 : RTPROT_STATIC), 5);
  fixed.writeUInt8(removing ? 255 : SCOPES[route.scope ?? (route.gateway ? 'global' : bytes.length === 4 ? 'link' : 'global')], 6);
  fixed.writeUInt8(removing ? 0 : RTN_UNICAST, 7);
  fixed.writeUInt32LE(route.onlink ? RTNH_F_ONLINK : 0, 8);
  const attrs: Attribute[] = [];
  if (prefix > 0) attrs.push([RTA.DST, bytes]);
  if (route.gateway) attrs.push([RTA.GATEWAY, ipToBytes(route.gateway)]);
  if (route.linkIndex !== undefined) attrs.push([RTA.OIF, u32(route.linkIndex)]);
  if (route.source) attrs.push([RTA.PREFSRC, ipToBytes(route.source)]);
  if (route.metric !== undefined) attrs.push([RTA.PRIORITY, u32(route.metric)]);
  if (route.table !== undefined && route.table >= 256) attrs.push([RTA.TABLE, u32(route.table)]);
  const metrics: Attribute[] = [];
  if (route.mtu) metrics.push([RTAX.MTU, u32(route.mtu)]);
  if (route.advmss) metrics.push([RTAX.ADVMSS, u32(route.advmss)]);
  if (metrics.length > 0) attrs.push([RTA.METRICS, metrics]);
  return encodeMessage(type, flags, fixed, attrs);
}

export function newRouteMessage(route: RouteSpec, replace: boolean): Buffer {
  return routeMessage(RTM.NEWROUTE, NLM_F_ACK | NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL), route);
}

export function deleteRouteMessage(route: RouteSpec): Buffer {
  return routeMessage(RTM.DELROUTE, NLM_F_ACK, route);
}

export function listRoutesMessage(family: 0 | 4 | 6): Buffer {
  const fixed = Buffer.alloc(12);
  fixed.writeUInt8(family === 0 ? 0 : family === 4 ? AF_INET : AF_INET6, 0);
  return encodeMessage(RTM.GETROUTE, NLM_F_DUMP, fixed);
}

export function decodeRoute(body: Uint8Array): RouteInfo {
  const fixed = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const attrs = decodeAttributes(body.subarray(12));
  const dst = attrs.get(RTA.DST);
  const gateway = attrs.get(RTA.GATEWAY);
  const source = attrs.get(RTA.PREFSRC);
  const linkIndex = attrs.get(RTA.OIF)?.readUInt32LE(0);
  const metric = attrs.get(RTA.PRIORITY)?.readUInt32LE(0);
  const zero = fixed.readUInt8(0) === AF_INET ? '0.0.0.0' : '::';
  return {
    destination: `${dst ? bytesToIp(dst) : zero}/${fixed.readUInt8(1)}`,
    scope: fixed.readUInt8(6),
    table: attrs.get(RTA.TABLE)?.readUInt32LE(0) ?? fixed.readUInt8(4),
    type: fixed.readUInt8(7),
    protocol: fixed.readUInt8(5),
    ...(gateway ? { gateway: bytesToIp(gateway) } : {}),
    ...(source ? { source: bytesToIp(source) } : {}),
    ...(linkIndex !== undefined ? { linkIndex } : {}),
    ...(metric !== undefined ? { metric } : {}),
  };
}
