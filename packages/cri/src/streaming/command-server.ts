import type { Duplex, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type CriClock, systemCriClock } from '../clock.js';
import { Channel, hasJsonStatus, SPDY_COMMAND_PROTOCOLS, STREAM_CREATION_TIMEOUT_MS, WS_COMMAND_PROTOCOLS } from './protocols.js';
import { readSizes } from './resize.js';
import { SpdyConnection, type SpdyStream } from './spdy/connection.js';
import { outcomeToStatus, outcomeToText } from './status-json.js';
import type { CommandOutcome, SessionStreams, StreamSession } from './types.js';
import { acceptSpdyUpgrade, acceptWebSocket, UpgradeError, type UpgradeRequest, upgradeKind } from './upgrade.js';
import { WsChannels } from './ws/channels.js';

/** The transport under a session: named streams and a way to close it all. */
interface Wires {
  readonly protocol: string;
  readonly streams: Readonly<Partial<Record<keyof typeof Channel, Duplex>>>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** Upgrade an exec or attach request, SPDY or WebSocket. Throws `UpgradeError` before, never after, the 101. */
export async function acceptCommand(upgrade: UpgradeRequest, wanted: SessionStreams, clock: CriClock = systemCriClock): Promise<StreamSession> {
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) throw new UpgradeError(400, 'you must specify at least 1 of stdin, stdout, stderr');
  const streams: SessionStreams = wanted.tty ? { ...wanted, stderr: false } : wanted;
  const wires = upgradeKind(upgrade.request) === 'websocket' ? await overWebSocket(upgrade, streams) : await overSpdy(upgrade, streams, clock);
  const gone = new AbortController();
  void wires.closed.then(() => gone.abort(new Error('the session is over')));
  const { stdin, stdout, stderr, error, resize } = wires.streams;
  return {
    protocol: wires.protocol,
    tty: streams.tty,
    ...(streams.stdin && stdin ? { stdin } : {}),
    ...(streams.stdout && stdout ? { stdout } : {}),
    ...(streams.stderr && stderr ? { stderr } : {}),
    resize: readSizes(resize),
    signal: gone.signal,
    async finish(outcome: CommandOutcome) {
      await Promise.all([endWriting(stdout), endWriting(stderr)]);
      error?.write(hasJsonStatus(wires.protocol) ? outcomeToStatus(outcome) : outcomeToText(outcome));
      await endWriting(error);
      await wires.close();
    },
  };
}

async function endWriting(stream: Writable | undefined): Promise<void> {
  if (!stream || stream.destroyed) return;
  stream.end();
  await finished(stream, { readable: false }).catch(() => {});
}

async function overWebSocket(upgrade: UpgradeRequest, wanted: SessionStreams): Promise<Wires> {
  const { ws, protocol } = await acceptWebSocket(upgrade, WS_COMMAND_PROTOCOLS, 'channel.k8s.io');
  const channels = new WsChannels(ws, { base64: protocol.includes('base64'), halfClose: protocol.startsWith('v5.') ? 'receive' : 'none' });
  const streams = {
    stdin: channels.channel(Channel.stdin),
    stdout: channels.channel(Channel.stdout),
    stderr: channels.channel(Channel.stderr),
    error: channels.channel(Channel.error),
    ...(protocol.startsWith('v') ? { resize: channels.channel(Channel.resize) } : {}),
  };
  ws.resume();
  // The lowest writable channel gets an empty message: clients take it as "connected".
  const first = wanted.stdout ? streams.stdout : wanted.stderr ? streams.stderr : streams.error;
  channels.send(first.number, Buffer.alloc(0), () => {});
  return { protocol, streams, closed: channels.closed, close: () => channels.close() };
}

async function overSpdy(upgrade: UpgradeRequest, wanted: SessionStreams, clock: CriClock): Promise<Wires> {
  const protocol = acceptSpdyUpgrade(upgrade, SPDY_COMMAND_PROTOCOLS, 'channel.k8s.io');
  const resizes = wanted.tty && /^v[345]\./.test(protocol);
  const expected = new Set<keyof typeof Channel>(['error']);
  for (const name of ['stdin', 'stdout', 'stderr'] as const) if (wanted[name]) expected.add(name);
  if (resizes) expected.add('resize');
  const streams: Partial<Record<keyof typeof Channel, SpdyStream>> = {};
  let complete = () => {};
  const all = new Promise<void>((resolve) => (complete = resolve));
  const connection = new SpdyConnection(upgrade.socket, {
    role: 'server',
    head: upgrade.head,
    onStream(stream) {
      const type = stream.headers.streamtype as keyof typeof Channel;
      if (!expected.has(type) || streams[type]) throw new Error(`unexpected stream ${type}`);
      streams[type] = stream;
      if (Object.keys(streams).length === expected.size) complete();
    },
  });
  const cancelTimeout = clock.setTimeout(() => connection.destroy(new Error('timed out waiting for the client to create streams')), STREAM_CREATION_TIMEOUT_MS);
  await Promise.race([all, connection.closed]);
  cancelTimeout();
  if (Object.keys(streams).length !== expected.size) throw new Error('the client went away before it opened its streams');
  return { protocol, streams, closed: connection.closed, close: () => connection.close() };
}
