import { apiServerFlags, type ApiServerFlags } from '../options.js';

/** The API server's flags out of commander's values, which are by camel-cased name. */
export function flagsOf(values: Readonly<Record<string, unknown>>): ApiServerFlags {
  const camel = (name: string) => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.keys(apiServerFlags).map((name) => [name, values[camel(name)] as string | undefined]));
}
