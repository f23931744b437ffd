/** A count per name of a fixed set. */
export type Tally<Name extends string> = { [name in Name]: number };

/** Nothing counted yet. */
export function emptyTally<Name extends string>(names: readonly Name[]): Tally<Name> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Tally<Name>;
}

/** The name itself when it is one of the set, else what stands for all others: labels come from a fixed set. */
export function oneOf<Name extends string>(names: readonly Name[], name: string, otherwise: Name): Name {
  return (names as readonly string[]).includes(name) ? (name as Name) : otherwise;
}
