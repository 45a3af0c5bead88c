import type { Ask } from './ask.ts';
import type { Round } from './drain.ts';
import { DrainFailure } from './outcome.ts';

/** Pages that follow one another by token. */
export interface Chain {
  readonly ask: (token: string | null) => Ask;
  /** Called once for each record that came, in order; what it refuses is not handed on. */
  readonly keep: (record: unknown) => boolean;
}

/**
 * Reads a chain to its end, or `pause` pages of it, and hands on what is kept.
 * Resolves with the rest of the chain where there is one: call it to read on.
 */
export async function readChain(
  round: Round,
  chain: Chain,
  signal: AbortSignal,
  pause = Number.POSITIVE_INFINITY,
): Promise<null | (() => Promise<void>)> {
  const given = new Set<string>();
  const read = async (first: string | null, most: number): Promise<string | null> => {
    let token = first;
    for (let pages = 0; pages < most; pages += 1) {
      token = await round.read(chain.ask(token), signal, chain.keep);
      if (token === null) return null;
      if (given.has(token)) throw cycle(given.size);
      given.add(token);
    }
    return token;
  };
  const rest = await read(null, pause);
  if (rest === null) return null;
  return async () => {
    await read(rest, Number.POSITIVE_INFINITY);
  };
}

/** The SDK's paginators would go round for ever. */
function cycle(pages: number): DrainFailure {
  return new DrainFailure({
    status: 'FAILED',
    errorName: 'TokenCycle',
    errorMessage: `AWS Backup gave a page token for the second time, after ${pages} pages; the list would never end`,
  });
}
