/** A count for each name of a fixed set. */
export type Tally<Name extends string> = { [name in Name]: number };

export function emptyTally<Name extends string>(names: readonly Name[]): Tally<Name> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Tally<Name>;
}

/** The name if it is in the set, else `other`: labels take their values from a fixed set. */
export function nameOrOther<Name extends string>(names: readonly Name[], name: string): Name | 'other' {
  return (names as readonly string[]).includes(name) ? (name as Name) : 'other';
}
