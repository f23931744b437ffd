/** As in git and docker: long enough to stay unique for a while. */
const LEAST_LENGTH = 8;

/** Abbreviates the ids to prefixes of one length that tell them apart; every command accepts such a prefix. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const distinct = [...new Set(ids)].sort();
  let length = LEAST_LENGTH;
  // In sorted order, the neighbor has the longest prefix in common.
  for (const [at, id] of distinct.entries()) length = Math.max(length, commonLength(id, distinct[at + 1]) + 1);
  return (id) => id.slice(0, length);
}

function commonLength(one: string, other = ''): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}
