import type { Readable, Writable } from 'node:stream';

/** Copies a process's output to a sink, at the sink's pace, until either ends; never rejects. A sink that went away loses the rest. */
export async function pumpOutput(reader: Readable, sink: Writable | undefined): Promise<void> {
  try {
    for await (const chunk of reader) {
      if (sink && !sink.destroyed && !sink.writableEnded && !sink.write(chunk)) {
        await new Promise<void>((resolve) => {
          const go = () => {
            sink.off('drain', go);
            sink.off('close', go);
            resolve();
          };
          sink.once('drain', go);
          sink.once('close', go);
        });
      }
    }
  } catch {
    // Destroyed once the process was gone.
  }
}
