/** Calls under way at a time: more would wait for the store one behind the other, and run into their deadlines. */
const LANES = 100;

/** Does `work` for each item, many at a time; resolves when all have ended. */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<Array<PromiseSettledResult<R>>> {
  const results: Array<PromiseSettledResult<R>> = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) [results[index]] = (await Promise.allSettled([work(item)])) as [PromiseSettledResult<R>];
  };
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane));
  return results;
}

/** The same, where one failure is everybody's: rejects with the first, when all have ended. */
export async function allInParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const failed = (await inParallel(items, work)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
