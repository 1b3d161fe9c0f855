import { execFile } from 'node:child_process';

export interface ConntrackFilter {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly family?: 4 | 6;
  /** The address the client asked for. */
  readonly originalDestination?: string;
  readonly originalPort?: number;
  /** The address it was translated to. */
  readonly replySource?: string;
}

/**
 * Forgets matching connections, so that the next packet of a UDP client is looked at anew.
 * Returns false when there is no `conntrack` program: the entries then end by their own timeout.
 */
export function flushConntrack(filter: ConntrackFilter, options: { readonly netns?: string } = {}): Promise<boolean> {
  const args = ['-D', '-p', filter.protocol];
  if (filter.family === 6) args.push('-f', 'ipv6');
  if (filter.originalDestination) args.push('--orig-dst', filter.originalDestination);
  if (filter.originalPort) args.push('--orig-port-dst', String(filter.originalPort));
  if (filter.replySource) args.push('--reply-src', filter.replySource);
  const [file, argv] = options.netns === undefined ? ['conntrack', args] : ['nsenter', [`--net=${options.netns}`, 'conntrack', ...args]];
  return new Promise((resolve, reject) => {
    execFile(file, argv, { timeout: 10_000 }, (error, _stdout, stderr) => {
      // Exit 1 with this text: nothing matched, which is fine.
      if (!error || /0 flow entries/.test(stderr)) return resolve(true);
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return resolve(false);
      reject(new Error(`conntrack: ${stderr.trim() || error.message}`));
    });
  });
}
