import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The front end beside this code: in this package's `dist`, beside a bundle whose chunks lie one folder deeper, or, when running
 * from source, where the build puts it.
 */
export function findWebRoot(base: string = import.meta.url): string {
  const places = ['./web/', '../web/', '../../dist/web/'].map((place) => fileURLToPath(new URL(place, base)));
  return places.find((place) => existsSync(`${place}index.html`)) ?? (places[0] as string);
}
