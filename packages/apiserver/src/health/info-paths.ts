import { ProcessMetrics, KUBERNETES_VERSION } from '@coxswain/sdk';
import type { PathHandler } from '../api-handler.js';
import { encoded } from '../rest/respond.js';
import type { RequestMetrics } from './request-metrics.js';

/** The version of the API served; upstream's clients compare it with theirs. */
export const VERSION = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: `${KUBERNETES_VERSION}+coxswain`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'v8',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
} as const;

const FORMAT = { format: 'json', as: 'object', version: '' } as const;

/** /version, /metrics and the list of paths at /. */
export function infoPaths(metrics: RequestMetrics, paths: () => readonly string[]): PathHandler {
  const processMetrics = new ProcessMetrics();
  return {
    handle(context) {
      switch (context.info.path) {
        case '/version':
        case '/version/':
          return encoded(context, 200, VERSION, FORMAT);
        case '/metrics':
          return metrics.registry
            .metrics()
            .then((text) => `${text}${processMetrics.expose()}\n`)
            .then((text) => ({ type: 'bytes', status: 200, contentType: metrics.registry.contentType, body: Buffer.from(text) }));
        case '/':
        case '':
          return encoded(context, 200, { paths: paths() }, FORMAT);
        default:
          return undefined;
      }
    },
  };
}
