/** The same generator, asked for its first value before anybody waits for it. */
export function begunAtOnce<Value, Result>(
  generator: AsyncGenerator<Value, Result>,
): AsyncGenerator<Value, Result> {
  const first = generator.next();
  // Whoever waits for it gets the error.
  first.catch(() => undefined);
  return (async function* () {
    let found = await first;
    for (; !found.done; found = await generator.next()) yield found.value;
    return found.value;
  })();
}
