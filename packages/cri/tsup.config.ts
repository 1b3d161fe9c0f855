import base from '../../tooling/tsup.config.ts';

/** Apart what serves a socket without gRPC. */
export default { ...base, entry: ['src/index.ts', 'src/socket/index.ts'], splitting: true };
