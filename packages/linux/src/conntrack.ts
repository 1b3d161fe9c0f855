import { LinuxError } from './errors.js';
import { inNetns, ownEnvironment, programOutput } from './program.js';

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
export async function flushConntrack(filter: ConntrackFilter, options: { readonly netns?: string } = {}): Promise<boolean> {
  const args = ['-D', '-p', filter.protocol];
  if (filter.family === 6) args.push('-f', 'ipv6');
  if (filter.originalDestination) args.push('--orig-dst', filter.originalDestination);
  if (filter.originalPort) args.push('--orig-port-dst', String(filter.originalPort));
  if (filter.replySource) args.push('--reply-src', filter.replySource);
  try {
    const { end, stderr } = await programOutput({ ...inNetns(options.netns, 'conntrack', args), env: ownEnvironment(), timeoutMs: 10_000 });
    // Exit 1 with this text: nothing matched, which is fine.
    if (end.code === 0 || /0 flow entries/.test(stderr)) return true;
    // What nsenter says of a program that is not there.
    if (end.code === 127) return false;
    throw new Error(`conntrack: ${stderr.trim() || 'failed'}`);
  } catch (error) {
    if (error instanceof LinuxError && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Forgets all of them. What goes wrong is told, no more: the flows end by their own timeout. */
export async function forgetFlows(
  flows: readonly ConntrackFilter[],
  { netns, warn }: { readonly netns: string | undefined; readonly warn: (message: string, fields?: Readonly<Record<string, unknown>>) => void },
): Promise<void> {
  for (const flow of flows) {
    try {
      if (await flushConntrack(flow, netns === undefined ? {} : { netns })) continue;
      warn('the conntrack program is not installed: UDP clients may keep talking to endpoints that are gone for up to 30 s');
      return;
    } catch (error) {
      warn('could not forget UDP flows', { err: error });
    }
  }
}
