declare const __COX_VERSION__: string | undefined;

/** Set by the bundler; from source it is a development version. */
export const coxVersion: string = typeof __COX_VERSION__ === 'string' ? __COX_VERSION__ : '0.0.0-development';
