import { optionKey } from '@coxswain/command';
import { apiServerFlags, type ApiServerFlags } from '../options.js';

/** The API server's flags out of commander's values, which are by camel-cased name. */
export function flagsOf(values: Readonly<Record<string, unknown>>): ApiServerFlags {
  return Object.fromEntries(Object.keys(apiServerFlags).map((name) => [name, values[optionKey(name)] as string | undefined]));
}
