import base from '../../tooling/tsup.config.ts';

/** Split, so that an error of one entry is the class that the other one knows. */
export default { ...base, entry: ['src/index.ts', 'src/run/index.ts'], splitting: true };
