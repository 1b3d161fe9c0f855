import { connect } from 'node:net';
import type { ProbeAnswer } from './http-probe.js';

/** Success when the port accepts a connection in time. */
export function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (answer: ProbeAnswer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end({ outcome: 'success', message: '' }));
    socket.once('timeout', () => end({ outcome: 'failure', message: `dial tcp ${where}: i/o timeout` }));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const text = error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message;
      end({ outcome: 'failure', message: `dial tcp ${where}: ${text}` });
    });
  });
}
