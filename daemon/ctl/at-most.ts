/** Runs the tasks, at most `limit` at a time, and returns how each settled, in their order. Never rejects. */
export async function settledAtMost<T>(
  limit: number,
  tasks: readonly (() => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const settled: PromiseSettledResult<T>[] = [];
  const rest = tasks.entries();
  // They share the iterator: each takes the next task when it has settled one.
  const workers = Array.from({ length: Math.min(limit, tasks.length) }, async () => {
    for (const [at, task] of rest) [settled[at]] = (await Promise.allSettled([task()])) as [PromiseSettledResult<T>];
  });
  await Promise.all(workers);
  return settled;
}
