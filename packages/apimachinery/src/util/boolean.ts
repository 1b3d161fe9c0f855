/** As Go reads one (`true`, `T`, `1`); undefined when it is none. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  return undefined;
}
