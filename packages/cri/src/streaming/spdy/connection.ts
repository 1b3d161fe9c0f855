import { Duplex } from 'node:stream';
import { controlFrame, dataFrameHeader, FLAG_FIN, type Frame, FrameReader, FrameType, MAX_FRAME_BYTES, RstStatus, uint32s } from './frames.js';
import { HeaderCompressor, HeaderDecompressor, type SpdyHeaders } from './headers.js';

// SPDY as moby/spdystream speaks it has no flow control: past this many unread bytes in one stream the whole connection waits.
const STREAM_BUFFER_BYTES = 256 * 1024;

/** One bidirectional stream. `end()` half-closes; `destroy()` resets. */
export class SpdyStream extends Duplex {
  /** @internal */ resume$: (() => void) | undefined;
  /** @internal */ remoteDone = false;
  /** @internal */ localDone = false;

  constructor(
    readonly id: number,
    readonly headers: SpdyHeaders,
    private readonly connection: SpdyConnection,
  ) {
    super({ readableHighWaterMark: STREAM_BUFFER_BYTES, writableHighWaterMark: 64 * 1024, allowHalfOpen: true, autoDestroy: false });
    // autoDestroy is off because `for await` over the reading side would otherwise tear down the writing side with it.
    // A reset stream must not bring the process down when its user has already gone.
    this.on('error', () => {});
  }

  override _read(): void {
    this.resume$?.();
    this.resume$ = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.connection.sendData(this.id, chunk, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.localDone = true;
    this.connection.sendData(this.id, Buffer.alloc(0), true, done);
    this.connection.forgetIfDone(this);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.resume$?.();
    if (!this.localDone || !this.remoteDone) this.connection.reset(this.id, RstStatus.cancel);
    this.localDone = true;
    this.remoteDone = true;
    this.connection.forgetIfDone(this);
    done(error);
  }
}

export interface SpdyConnectionOptions {
  readonly role: 'client' | 'server';
  /** Bytes already read from the socket. */
  readonly head?: Buffer;
  /** A stream the peer opened. It has been replied to unless this throws, in which case it is refused. */
  readonly onStream?: (stream: SpdyStream) => void;
}

/** A SPDY/3.1 connection over any byte stream: a socket after an upgrade, or a WebSocket tunnel. */
export class SpdyConnection {
  readonly #streams = new Map<number, SpdyStream>();
  readonly #replies = new Map<number, { resolve: (s: SpdyStream) => void; reject: (e: Error) => void }>();
  readonly #compressor = new HeaderCompressor();
  readonly #decompressor = new HeaderDecompressor();
  readonly #onStream: ((stream: SpdyStream) => void) | undefined;
  #nextId: number;
  #lastPeerId = 0;
  #dead: Error | undefined;
  /** Resolves when the connection has ended, whatever the reason. */
  readonly closed: Promise<void>;

  constructor(
    private readonly transport: Duplex,
    options: SpdyConnectionOptions,
  ) {
    this.#nextId = options.role === 'client' ? 1 : 2;
    this.#onStream = options.onStream;
    transport.on('error', () => {});
    if (options.head?.length) transport.unshift(options.head);
    this.closed = this.#run();
  }

  /** Open a stream and wait for the peer's reply. */
  open(headers: SpdyHeaders): Promise<SpdyStream> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new SpdyStream(id, headers, this);
    this.#streams.set(id, stream);
    return new Promise((resolve, reject) => {
      this.#replies.set(id, { resolve, reject });
      this.#send(controlFrame(FrameType.synStream, 0, Buffer.concat([uint32s(id, 0), Buffer.from([0, 0]), this.#compressor.compress(headers)])));
    });
  }

  /** Say goodbye once everything written so far is on its way, and close the transport. */
  async close(): Promise<void> {
    if (!this.#dead) {
      this.#send(controlFrame(FrameType.goAway, 0, uint32s(this.#lastPeerId, 0)));
      this.transport.end();
    }
    await this.closed;
  }

  destroy(error?: Error): void {
    this.transport.destroy(error);
  }

  /** @internal */
  sendData(id: number, data: Buffer, fin: boolean, done: (error?: Error | null) => void): void {
    if (this.#dead || this.transport.writableEnded) return void done(fin ? null : (this.#dead ?? new Error('the connection is closed')));
    if (data.length > MAX_FRAME_BYTES) {
      this.sendData(id, data.subarray(0, MAX_FRAME_BYTES), false, () => {});
      return void this.sendData(id, data.subarray(MAX_FRAME_BYTES), fin, done);
    }
    this.transport.cork();
    this.transport.write(dataFrameHeader(id, fin ? FLAG_FIN : 0, data.length));
    const settled = (error?: Error | null) => done(error);
    if (data.length) this.transport.write(data, settled);
    else queueMicrotask(settled);
    this.transport.uncork();
  }

  /** @internal */
  reset(id: number, status: number): void {
    if (this.#streams.has(id)) this.#send(controlFrame(FrameType.rstStream, 0, uint32s(id, status)));
  }

  /** @internal */
  forgetIfDone(stream: SpdyStream): void {
    if (stream.localDone && stream.remoteDone) this.#streams.delete(stream.id);
  }

  #send(frame: Buffer): void {
    if (!this.#dead && !this.transport.writableEnded && !this.transport.destroyed) this.transport.write(frame);
  }

  async #run(): Promise<void> {
    const frames = new FrameReader();
    const error = await new Promise<Error | undefined>((resolve) => {
      let working: Promise<void> = Promise.resolve();
      const consume = async (chunk: Buffer) => {
        for (const frame of frames.push(chunk)) await this.#handle(frame);
      };
      this.transport.on('data', (chunk: Buffer) => {
        this.transport.pause();
        working = consume(chunk).then(() => void this.transport.resume(), resolve);
      });
      this.transport.once('end', () => void working.then(() => resolve(undefined)));
      this.transport.once('error', resolve);
      this.transport.once('close', () => void working.then(() => resolve(undefined)));
    });
    this.#dead = error ?? new Error('the connection was closed by the other side');
    this.transport.destroy();
    this.#decompressor.close();
    for (const { reject } of this.#replies.values()) reject(this.#dead);
    this.#replies.clear();
    for (const stream of [...this.#streams.values()]) {
      // What has been received is still readable; then comes the end.
      if (!stream.remoteDone) stream.push(null);
      stream.remoteDone = true;
      if (!stream.localDone && !stream.destroyed) stream.end();
    }
    this.#streams.clear();
  }

  async #handle(frame: Frame): Promise<void> {
    if (frame.kind === 'data') return this.#handleData(frame.streamId, frame.data, frame.fin);
    const { payload } = frame;
    switch (frame.type) {
      case FrameType.synStream: {
        const id = payload.readUInt32BE(0) & 0x7fffffff;
        const headers = await this.#decompressor.decompress(payload.subarray(10));
        return this.#accept(id, headers, (frame.flags & FLAG_FIN) !== 0);
      }
      case FrameType.synReply: {
        const id = payload.readUInt32BE(0) & 0x7fffffff;
        await this.#decompressor.decompress(payload.subarray(4));
        const stream = this.#streams.get(id);
        if (stream) this.#replies.get(id)?.resolve(stream);
        this.#replies.delete(id);
        if (stream && frame.flags & FLAG_FIN) await this.#handleData(id, Buffer.alloc(0), true);
        return;
      }
      case FrameType.headers:
        await this.#decompressor.decompress(payload.subarray(4));
        return;
      case FrameType.rstStream: {
        const id = payload.readUInt32BE(0) & 0x7fffffff;
        const stream = this.#streams.get(id);
        const reply = this.#replies.get(id);
        this.#streams.delete(id);
        this.#replies.delete(id);
        if (!stream) return;
        const error = new Error(`the other side reset stream ${id} (status ${payload.readUInt32BE(4)})`);
        stream.localDone = true;
        stream.remoteDone = true;
        reply?.reject(error);
        stream.destroy(reply ? error : undefined);
        return;
      }
      case FrameType.ping: {
        // Odd ids are the client's: answer the peer's, ignore answers to ours.
        const id = payload.readUInt32BE(0);
        if (id % 2 !== this.#nextId % 2) this.#send(controlFrame(FrameType.ping, 0, payload));
        return;
      }
      // GOAWAY: the transport's end follows. SETTINGS, WINDOW_UPDATE: nothing to do without flow control.
      default:
        return;
    }
  }

  #accept(id: number, headers: SpdyHeaders, fin: boolean): void {
    if (id % 2 === this.#nextId % 2 || id <= this.#lastPeerId || !this.#onStream) {
      this.#send(controlFrame(FrameType.rstStream, 0, uint32s(id, RstStatus.refusedStream)));
      return;
    }
    this.#lastPeerId = id;
    const stream = new SpdyStream(id, headers, this);
    this.#streams.set(id, stream);
    try {
      this.#onStream(stream);
    } catch {
      this.#streams.delete(id);
      this.#send(controlFrame(FrameType.rstStream, 0, uint32s(id, RstStatus.refusedStream)));
      return;
    }
    this.#send(controlFrame(FrameType.synReply, 0, Buffer.concat([uint32s(id), this.#compressor.compress({})])));
    if (fin) void this.#handleData(id, Buffer.alloc(0), true);
  }

  async #handleData(id: number, data: Buffer, fin: boolean): Promise<void> {
    const stream = this.#streams.get(id);
    if (!stream || stream.remoteDone || stream.destroyed) return;
    const room = data.length === 0 || stream.push(data);
    if (fin) {
      stream.remoteDone = true;
      stream.push(null);
      this.forgetIfDone(stream);
      return;
    }
    if (!room) await new Promise<void>((resolve) => (stream.resume$ = resolve));
  }
}
