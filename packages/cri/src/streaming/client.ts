import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createWebSocketStream, WebSocket } from 'ws';
import { Channel, SPDY_COMMAND_PROTOCOLS, SPDY_PORT_FORWARD_PROTOCOL, WS_COMMAND_PROTOCOLS, WS_TUNNEL_PROTOCOL } from './protocols.js';
import { writeSize } from './resize.js';
import { SpdyConnection } from './spdy/connection.js';
import { statusToOutcome } from './status-json.js';
import type { ClientSession, CommandOutcome, PortForwardConnection, SessionStreams } from './types.js';
import { WsChannels } from './ws/channels.js';

export interface DialOptions {
  /** http(s) URL of the exec, attach or port-forward endpoint, query included. */
  readonly url: string;
  readonly transport?: 'websocket' | 'spdy';
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;
  /** Subprotocols to offer; default all that are known. */
  readonly protocols?: readonly string[];
}

/** Open an exec or attach session. Rejects with the server's message when it refuses the upgrade. */
export async function dialCommand(options: DialOptions, wanted: SessionStreams): Promise<ClientSession> {
  const streams: SessionStreams = wanted.tty ? { ...wanted, stderr: false } : wanted;
  if (options.transport === 'spdy') {
    const { socket, head, protocol } = await spdyUpgrade(options, options.protocols ?? SPDY_COMMAND_PROTOCOLS);
    const connection = new SpdyConnection(socket, { role: 'client', head });
    const open = (streamtype: keyof typeof Channel, wants: boolean) => (wants ? connection.open({ streamtype }) : Promise.resolve(undefined));
    const error = await connection.open({ streamtype: 'error' });
    const [stdin, stdout, stderr, resize] = await Promise.all([
      open('stdin', streams.stdin),
      open('stdout', streams.stdout),
      open('stderr', streams.stderr),
      open('resize', streams.tty && /^v[345]/.test(protocol)),
    ]);
    return session(protocol, { stdin, stdout, stderr, resize, error }, connection.closed, () => connection.destroy());
  }
  const { ws, protocol } = await webSocket(options, options.protocols ?? WS_COMMAND_PROTOCOLS);
  const channels = new WsChannels(ws, { base64: protocol.includes('base64'), halfClose: protocol.startsWith('v5.') ? 'send' : 'none' });
  const open = (name: keyof typeof Channel, wants: boolean) => (wants ? channels.channel(Channel[name]) : undefined);
  const wires = {
    stdin: open('stdin', streams.stdin),
    stdout: open('stdout', streams.stdout),
    stderr: open('stderr', streams.stderr),
    resize: open('resize', streams.tty),
    error: channels.channel(Channel.error),
  };
  ws.resume();
  return session(protocol, wires, channels.closed, () => ws.close());
}

function session(protocol: string, wires: Partial<Record<keyof typeof Channel, Duplex | undefined>>, closed: Promise<void>, close: () => void): ClientSession {
  const { stdin, stdout, stderr, resize, error } = wires;
  const outcome: Promise<CommandOutcome> = (error ? text(error) : closed.then(() => '')).then(
    (status) => (status === '' && hasNoEmptySuccess(protocol) ? { type: 'error', message: 'the connection ended without a status' } : statusToOutcome(status)),
    (cause: Error) => ({ type: 'error', message: cause.message }),
  );
  return {
    protocol,
    ...(stdin ? { stdin } : {}),
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
    resize: (size) => void resize?.write(writeSize(size)),
    outcome,
    close,
  };
}

const hasNoEmptySuccess = (protocol: string) => /^v[45]\./.test(protocol);

/** Open a port-forward connection: SPDY directly or tunnelled in a WebSocket. */
export async function dialPortForward(options: DialOptions): Promise<PortForwardConnection> {
  let connection: SpdyConnection;
  if (options.transport === 'spdy') {
    const { socket, head } = await spdyUpgrade(options, [SPDY_PORT_FORWARD_PROTOCOL]);
    connection = new SpdyConnection(socket, { role: 'client', head });
  } else {
    const { ws } = await webSocket(options, [WS_TUNNEL_PROTOCOL]);
    const tunnel = createWebSocketStream(ws);
    ws.resume();
    connection = new SpdyConnection(tunnel, { role: 'client' });
  }
  let requests = 0;
  return {
    async open(port) {
      const common = { port: String(port), requestid: String(requests++) };
      const error = await connection.open({ ...common, streamtype: 'error' });
      const data = await connection.open({ ...common, streamtype: 'data' });
      error.end();
      void text(error).then(
        (message) => message && data.destroy(new Error(message)),
        () => {},
      );
      return data;
    },
    close: () => connection.destroy(),
  };
}

function spdyUpgrade(options: DialOptions, protocols: readonly string[]): Promise<{ socket: Duplex; head: Buffer; protocol: string }> {
  return new Promise((resolve, reject) => {
    const send = options.url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(options.url, {
      method: 'POST',
      agent: false,
      ...options.tls,
      headers: { ...options.headers, connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': [...protocols], 'content-length': '0' },
    });
    request.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) =>
      resolve({ socket, head, protocol: String(response.headers['x-stream-protocol-version'] ?? protocols[0]) }),
    );
    request.once('response', (response) => void refused(response).then(reject));
    request.once('error', reject);
    request.end();
  });
}

/** The socket comes paused, so that nothing is lost before its user listens. */
function webSocket(options: DialOptions, protocols: readonly string[]): Promise<{ ws: WebSocket; protocol: string }> {
  return new Promise((resolve, reject) => {
    let protocol = '';
    const ws = new WebSocket(options.url.replace(/^http/, 'ws'), [], {
      perMessageDeflate: false,
      ...options.tls,
      headers: { ...options.headers, 'Sec-WebSocket-Protocol': protocols.join(',') },
      // `ws` refuses subprotocols that are not HTTP tokens, such as the tunnel's: keep them from it.
      finishRequest(request) {
        request.prependListener('upgrade', (response) => {
          protocol = String(response.headers['sec-websocket-protocol'] ?? '');
          delete response.headers['sec-websocket-protocol'];
        });
        request.end();
      },
    });
    ws.once('open', () => {
      ws.pause();
      if (protocols.includes(protocol)) return resolve({ ws, protocol });
      ws.terminate();
      reject(new Error(`the server chose the subprotocol ${JSON.stringify(protocol)}, which was not offered`));
    });
    ws.once('unexpected-response', (_request, response) => void refused(response).then(reject));
    ws.once('error', reject);
  });
}

async function refused(response: IncomingMessage): Promise<Error> {
  const body = await text(response).catch(() => '');
  let message = body.trim();
  try {
    message = (JSON.parse(body) as { message?: string }).message ?? message;
  } catch {
    // Plain text.
  }
  return Object.assign(new Error(message || `the server answered ${response.statusCode}`), { statusCode: response.statusCode });
}
