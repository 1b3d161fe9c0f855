import base from '../../tooling/tsup.config.ts';

/** Split, so that the descriptions stay a file of their own that is only read when somebody asks for them. */
export default { ...base, splitting: true };
