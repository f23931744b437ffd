/** From everything to nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** The name that the original's trigger has for `warn`. */
export const WARNING = 'warning';
export type LogLevel = (typeof LOG_LEVELS)[number];
