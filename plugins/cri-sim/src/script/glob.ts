const compiled = new Map<string, RegExp>();

/** `*` is any run of characters, `?` any one; everything else is itself. */
export function globMatches(glob: string, text: string): boolean {
  let pattern = compiled.get(glob);
  if (!pattern) {
    const source = glob
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    compiled.set(glob, (pattern = new RegExp(`^${source}$`, 's')));
  }
  return pattern.test(text);
}
