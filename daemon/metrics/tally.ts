/** A count for each name of a fixed set. */
export type Tally<Name extends string> = { [name in Name]: number };

export function emptyTally<Name extends string>(names: readonly Name[]): Tally<Name> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Tally<Name>;
}

/** The name if it is in the set, else `otherwise`: labels take their values from a fixed set. */
export function oneOf<Name extends string>(names: readonly Name[], name: string, otherwise: Name): Name {
  return (names as readonly string[]).includes(name) ? (name as Name) : otherwise;
}
