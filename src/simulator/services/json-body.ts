/** The members of a JSON request body; none for an empty body. */
export function readBody(
  body: string,
  broken: (message: string) => Error,
): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = body === '' ? {} : JSON.parse(body);
  } catch {
    throw broken('The request body is not JSON.');
  }
  if (typeof parsed !== 'object' || parsed === null) throw broken('The request body is not a JSON object.');
  return { ...parsed };
}
