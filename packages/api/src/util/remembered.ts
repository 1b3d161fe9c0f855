/** Longer texts are not what comes again. */
const MAX_LENGTH = 64;

/** A pure function of short texts that come again and again, with the newest results kept, up to about `limit`. What throws is not kept. */
export function remembered<T>(limit: number, work: (text: string) => T): (text: string) => T {
  const results = new Map<string, T>();
  return (text) => {
    if (text.length > MAX_LENGTH) return work(text);
    let result = results.get(text);
    if (result === undefined && !results.has(text)) {
      result = work(text);
      if (results.size >= limit) results.clear();
      results.set(text, result);
    }
    return result as T;
  };
}
