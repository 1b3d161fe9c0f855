import { formatReference, parseReference } from '@coxswain/oci';

/** The engine shortens Docker Hub's names; CRI's are whole. What is no reference stays as it is. */
export function fullName(name: string): string {
  try {
    return formatReference(parseReference(name));
  } catch {
    return name;
  }
}

/** How the engine is asked for an image to pull: the repository, and a tag or a digest. */
export function pullQuery(image: string): { fromImage: string; tag: string } {
  const { domain, path, tag, digest } = parseReference(image);
  return { fromImage: `${domain}/${path}`, tag: digest ?? tag ?? 'latest' };
}
