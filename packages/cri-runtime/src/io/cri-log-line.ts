/** Lines longer than this are split into partial ones, as upstream's runtimes do. */
export const MAX_LINE_BYTES = 16 * 1024;

export type LogStream = 'stdout' | 'stderr';

/** One line in CRI's log format. `text` without the newline. */
export function criLogLine(timestamp: string, stream: LogStream, partial: boolean, text: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${timestamp} ${stream} ${partial ? 'P' : 'F'} `), text, Buffer.from('\n')]);
}
