// What the command line must know of runtimes: by itself, so that `cox --help` loads none of them.

/** Every runtime `cox` knows; the registry has the rest of each. */
export const runtimeNames = ['containerd', 'docker', 'crio', 'sim'] as const;

export const AUTO = 'auto';
export const runtimeChoices: readonly string[] = [...runtimeNames, AUTO];
