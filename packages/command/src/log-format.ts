export const logFormats = ['json', 'text'] as const;
export type LogFormat = (typeof logFormats)[number];

let format: LogFormat = 'json';

/** Of the log of this process: there is one, whoever writes to it. Holds for loggers made from now on. */
export function setLogFormat(of: LogFormat): void {
  format = of;
}

export const logFormat = (): LogFormat => format;
