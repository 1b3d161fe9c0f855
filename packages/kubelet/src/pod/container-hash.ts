/** 32-bit FNV-1a. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash >>> 0;
}

/**
 * What decides whether a running container still is the one the spec asks for: name and image. The value is upstream's
 * (FNV-1a over the printed bytes of the sorted JSON), so that kubelets can take over from each other.
 */
export function containerHash(container: { readonly name: string; readonly image?: string }): string {
  const json = JSON.stringify({ image: container.image ?? '', name: container.name });
  return fnv32a(`([]uint8)[${[...Buffer.from(json, 'utf8')].join(' ')}]`).toString(16);
}
