import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

// kubectl's v5 protocol: a message on this channel closes the channel its payload names.
const CLOSE_CHANNEL = 255;
const CHANNEL_BUFFER_BYTES = 256 * 1024;

export interface WsChannelsOptions {
  /** `v4.base64.channel.k8s.io` and friends: an ASCII digit and base64 text. */
  readonly base64: boolean;
  /** v5: the client can half-close channels; the server must not (kubectl takes channel 255 for an error). */
  readonly halfClose: 'send' | 'receive' | 'none';
}

/** One numbered channel. `end()` half-closes where the protocol can; otherwise it only ends our side. */
export class WsChannel extends Duplex {
  /** @internal */ resume$: (() => void) | undefined;

  constructor(
    readonly number: number,
    private readonly owner: WsChannels,
  ) {
    super({ readableHighWaterMark: CHANNEL_BUFFER_BYTES, writableHighWaterMark: 64 * 1024, allowHalfOpen: true, autoDestroy: false });
    this.on('error', () => {});
  }

  override _read(): void {
    this.resume$?.();
    this.resume$ = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.owner.send(this.number, chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.owner.sendClose(this.number, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.resume$?.();
    this.resume$ = undefined;
    done(error);
  }
}

/** Numbered channels over one WebSocket: the first byte of a message is its channel. */
export class WsChannels {
  readonly #channels = new Map<number, WsChannel>();
  #blocked = 0;
  readonly closed: Promise<void>;

  constructor(
    private readonly socket: WebSocket,
    private readonly options: WsChannelsOptions,
  ) {
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      const end = () => {
        for (const channel of this.#channels.values()) if (!channel.readableEnded) channel.push(null);
        resolve();
      };
      if (socket.readyState === socket.CLOSED) end();
      else socket.once('close', end);
    });
  }

  /** Open a channel; must be called before the messages for it arrive, i.e. right after the upgrade. */
  channel(number: number): WsChannel {
    const channel = new WsChannel(number, this);
    this.#channels.set(number, channel);
    return channel;
  }

  /** @internal */
  send(number: number, data: Buffer, done: (error?: Error | null) => void): void {
    if (this.socket.readyState !== this.socket.OPEN) return void done(new Error('the WebSocket is closed'));
    if (this.options.base64) this.socket.send(String.fromCharCode(48 + number) + data.toString('base64'), { binary: false }, (e) => done(e));
    else this.socket.send(Buffer.concat([Buffer.from([number]), data]), { binary: true }, (e) => done(e));
  }

  /** @internal */
  sendClose(number: number, done: (error?: Error | null) => void): void {
    if (this.options.halfClose !== 'send' || this.socket.readyState !== this.socket.OPEN) return void done();
    this.socket.send(Buffer.from([CLOSE_CHANNEL, number]), { binary: true }, () => done());
  }

  async close(code = 1000): Promise<void> {
    this.socket.close(code);
    await this.closed;
  }

  #receive(raw: RawData, isBinary: boolean): void {
    const message = Buffer.isBuffer(raw) ? raw : Array.isArray(raw) ? Buffer.concat(raw) : Buffer.from(raw);
    if (message.length === 0) return;
    const first = message[0] as number;
    const base64 = this.options.base64 && !isBinary;
    const number = base64 ? first - 48 : first;
    const data = base64 ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1);
    if (this.options.halfClose === 'receive' && first === CLOSE_CHANNEL) {
      const channel = this.#channels.get(data[0] ?? -1);
      if (channel && !channel.readableEnded) {
        channel.push(null);
        // An ended stream asks for no more, and must not leave the socket stopped.
        channel.resume$?.();
        channel.resume$ = undefined;
      }
      return;
    }
    const channel = this.#channels.get(number);
    if (!channel || channel.destroyed || data.length === 0) return;
    if (!channel.push(data) && !channel.readableEnded) this.#block(channel);
  }

  // One full channel stops the socket, as in every WebSocket multiplexer without windows.
  #block(channel: WsChannel): void {
    if (channel.resume$) return;
    this.#blocked++;
    this.socket.pause();
    channel.resume$ = () => {
      if (--this.#blocked === 0) this.socket.resume();
    };
  }
}
