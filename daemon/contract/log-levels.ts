/** From everything to nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Our name of a level: the original's trigger has `warning` for `warn`. */
export function levelNamed(name: string): string {
  return name === 'warning' ? 'warn' : name;
}
