const DECIMALS = 1000;

/** A JSON replacer: numbers have at most 3 decimals, because nobody reads microseconds of a millisecond. */
export function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * DECIMALS) / DECIMALS : value;
}

/** The same for the fields of an object; returns the object itself if nothing needs rounding. */
export function withRoundedFields<Fields extends Record<string, unknown>>(fields: Fields): Fields {
  let result: Record<string, unknown> = fields;
  for (const [name, value] of Object.entries(fields)) {
    const short = rounded(name, value);
    if (short === value || Number.isNaN(value)) continue;
    if (result === fields) result = { ...fields };
    result[name] = short;
  }
  return result as Fields;
}
