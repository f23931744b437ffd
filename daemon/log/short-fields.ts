import { withRoundedFields } from '../runtime/rounded.ts';

const LONGEST_TEXT = 1000;
/** Characters of all entries of a list: names of parameters, ids of requests, frames of a stack. */
const LONGEST_LIST = 2000;

/**
 * Fields for one line of the log: numbers with at most 3 decimals, long texts and lists cut. Threads write their lines to
 * one pipe, where those of more than 4096 bytes (PIPE_BUF) may break each other.
 */
export function shortFields<Fields extends Record<string, unknown>>(fields: Fields): Record<string, unknown> {
  const rounded = withRoundedFields(fields);
  let result: Record<string, unknown> = rounded;
  for (const [name, value] of Object.entries(rounded)) {
    const short = Array.isArray(value) ? shortList(value) : shortText(value);
    if (short === value) continue;
    if (result === rounded) result = { ...rounded };
    result[name] = short;
  }
  return result;
}

function shortList(list: readonly unknown[]): readonly unknown[] {
  let length = 0;
  const tooMany = list.findIndex((entry) => {
    length += String(entry).length;
    return length > LONGEST_LIST;
  });
  return tooMany < 0 ? list : [...list.slice(0, tooMany), `and ${list.length - tooMany} more`];
}

function shortText(value: unknown): unknown {
  return typeof value === 'string' && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
}
