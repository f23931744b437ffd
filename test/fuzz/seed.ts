/** The seed of `npm test`, which must be reproducible; `npm run fuzz` tries new ones. */
export const SEED_OF_THE_TESTS = 20_261_124;

/** FUZZ_SEED, or `otherwise`. */
export function seedFrom(environment: NodeJS.ProcessEnv, otherwise: number): number {
  const given = environment['FUZZ_SEED'];
  if (given === undefined) return otherwise;
  const seed = Number(given);
  if (!Number.isInteger(seed)) {
    throw new Error(`FUZZ_SEED is "${given}": it must be an integer, as a finding reports it`);
  }
  return seed;
}
