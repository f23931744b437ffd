/**
 * A time in ISO 8601, from ISO 8601 or from epoch milliseconds as Connect has them, as a number or digits; undefined for
 * anything else: a start does not need it.
 */
export function isoTimestamp(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const isEpochMs = typeof value === 'number' || /^\d+$/.test(value);
  const date = new Date(isEpochMs ? Number(value) : value);
  return date.getTime() > 0 ? date.toISOString() : undefined;
}
