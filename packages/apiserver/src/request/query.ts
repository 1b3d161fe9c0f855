import { ApiError } from '@coxswain/apimachinery';

const EMPTY = new URLSearchParams();

/** Query parameters; nothing is parsed for requests without any. */
export function parseQuery(search: string): URLSearchParams {
  return search === '' ? EMPTY : new URLSearchParams(search);
}

/** As upstream converts it: absent, `false` and `0` are false; anything else, also an empty value, is true. */
export function queryBoolean(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

export function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw ApiError.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}
