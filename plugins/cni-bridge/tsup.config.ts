import base from '../../tooling/tsup.config.ts';

export default { ...base, entry: ['src/index.ts', 'src/bin.ts'] };
