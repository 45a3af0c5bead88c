/** Work side by side of which none goes on when the caller has its answer. */

/** What all of them resolve with. If one rejects, it waits for the others too, then rejects with that error. */
export async function allEnded<const Work extends readonly Promise<unknown>[]>(
  work: Work,
): Promise<{ -readonly [Place in keyof Work]: Awaited<Work[Place]> }> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
