import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';
import { type CriClock, systemCriClock } from '../clock.js';
import { SPDY_PORT_FORWARD_PROTOCOL, STREAM_CREATION_TIMEOUT_MS, WS_PORT_FORWARD_PROTOCOLS, WS_TUNNEL_PROTOCOL } from './protocols.js';
import { SpdyConnection, type SpdyStream } from './spdy/connection.js';
import { acceptSpdyUpgrade, acceptWebSocket, type UpgradeRequest, upgradeKind } from './upgrade.js';
import { WsChannels } from './ws/channels.js';

export interface PortForwardHandler {
  /** Ports named in the request (old WebSocket protocol only; SPDY names them per stream). */
  readonly ports: readonly number[];
  /** Connect to a port in the pod. A rejection is reported to the client on the error stream. */
  dial(port: number): Promise<Duplex>;
}

interface Halves {
  data?: SpdyStream;
  error?: SpdyStream;
  /** Do not wait any longer for the other one. */
  readonly forget: () => void;
}

/** Upgrade a port-forward request and serve it until the client closes. */
export async function servePortForward(upgrade: UpgradeRequest, handler: PortForwardHandler, clock: CriClock = systemCriClock): Promise<void> {
  if (upgradeKind(upgrade.request) === 'spdy') {
    acceptSpdyUpgrade(upgrade, [SPDY_PORT_FORWARD_PROTOCOL], SPDY_PORT_FORWARD_PROTOCOL);
    return overSpdy(upgrade.socket, upgrade.head, handler, clock);
  }
  const { ws, protocol } = await acceptWebSocket(upgrade, WS_PORT_FORWARD_PROTOCOLS, 'v4.channel.k8s.io');
  if (protocol === WS_TUNNEL_PROTOCOL) {
    const tunnel = createWebSocketStream(ws);
    ws.resume();
    return overSpdy(tunnel, undefined, handler, clock);
  }
  return overChannels(ws, protocol, handler);
}

function overSpdy(transport: Duplex, head: Buffer | undefined, handler: PortForwardHandler, clock: CriClock): Promise<void> {
  // The error stream and the data stream of one connection share a requestID (or, from old clients, adjacent ids).
  const halves = new Map<string, Halves>();
  const giveUp = (key: string) => {
    const pair = halves.get(key);
    halves.delete(key);
    pair?.error?.end(`(request=${key}) timed out waiting for streams`);
    pair?.error?.resume();
    pair?.data?.destroy();
  };
  const connection = new SpdyConnection(transport, {
    role: 'server',
    ...(head ? { head } : {}),
    onStream(stream) {
      const type = stream.headers.streamtype;
      const port = Number(stream.headers.port);
      if (type !== 'data' && type !== 'error') throw new Error(`unknown stream type ${type}`);
      if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`invalid port ${stream.headers.port}`);
      const key = stream.headers.requestid ?? String(type === 'error' ? stream.id : stream.id - 2);
      const pair: Halves = halves.get(key) ?? { forget: clock.setTimeout(() => giveUp(key), STREAM_CREATION_TIMEOUT_MS) };
      pair[type] = stream;
      halves.set(key, pair);
      if (pair.data && pair.error) {
        pair.forget();
        halves.delete(key);
        void forward(port, pair.data, pair.error, handler);
      }
    },
  });
  return connection.closed.finally(() => {
    for (const { forget } of halves.values()) forget();
  });
}

async function overChannels(ws: WebSocket, protocol: string, handler: PortForwardHandler): Promise<void> {
  const channels = new WsChannels(ws, { base64: protocol.includes('base64'), halfClose: 'none' });
  const pairs = handler.ports.map((port, i) => ({ port, data: channels.channel(2 * i), error: channels.channel(2 * i + 1) }));
  ws.resume();
  for (const { port, data, error } of pairs) {
    // Each channel first says which port it is for, little-endian.
    const tag = Buffer.alloc(2);
    tag.writeUInt16LE(port);
    data.write(tag);
    error.write(tag);
    void forward(port, data, error, handler);
  }
  await channels.closed;
}

async function forward(port: number, data: Duplex, error: Duplex, handler: PortForwardHandler): Promise<void> {
  error.resume();
  let target: Duplex;
  try {
    target = await handler.dial(port);
  } catch (cause) {
    error.end(`an error occurred forwarding ${port}: ${cause instanceof Error ? cause.message : String(cause)}`);
    data.end();
    data.resume();
    return;
  }
  target.on('error', (cause) => {
    if (!error.writableEnded) error.write(`an error occurred forwarding ${port}: ${cause.message}`);
    if (!data.writableEnded) data.end();
  });
  data.on('close', () => target.destroy());
  await new Promise<void>((resolve) => {
    target.once('close', resolve);
    data.pipe(target);
    target.pipe(data);
  });
  if (!data.writableEnded) data.end();
  if (!error.writableEnded) error.end();
  data.resume();
}
