/** Numbers, nested in any way in arrays and objects. */
type Sums = number | readonly Sums[] | { readonly [name: string]: Sums };

/** Adds number by number; both have the same shape. */
export function sumOf<T extends Sums>(a: T, b: T): T {
  return zip(a, b, (x, y) => x + y) as T;
}

/** Subtracts number by number; both have the same shape. */
export function difference<T extends Sums>(now: T, before: T): T {
  return zip(now, before, (x, y) => x - y) as T;
}

function zip(a: Sums, b: Sums, combine: (x: number, y: number) => number): Sums {
  if (typeof a === 'number') return combine(a, b as number);
  if (Array.isArray(a)) return a.map((item, i) => zip(item, (b as readonly Sums[])[i] as Sums, combine));
  const other = b as { readonly [name: string]: Sums };
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, zip(value, other[name] as Sums, combine)]));
}
