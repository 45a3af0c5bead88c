/** When requests are on their way, so that the time until their responses come can be used. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

/** Node tells of each HTTP request here (nodejs.org/api/diagnostics_channel.html). */
const created = 'http.client.request.created';

/**
 * Resolves when the next HTTP requests of this process have been handed to the network, or have failed. Never rejects.
 * @param count how many; at least 1
 * @param work also resolves when this has ended: perhaps fewer requests are made
 */
export function nextRequestsSent(count: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const underway = new Set<ClientRequest>();
  let remaining = count;
  const onCreated = (message: unknown): void => {
    remaining -= 1;
    if (remaining === 0) unsubscribe(created, onCreated);
    // Safe: the documentation says that the message holds the request.
    const { request } = message as { readonly request: ClientRequest };
    underway.add(request);
    const depart = (): void => {
      underway.delete(request);
      if (remaining === 0 && underway.size === 0) resolve();
    };
    request.once('finish', depart).once('close', depart);
  };
  const end = (): void => {
    unsubscribe(created, onCreated);
    resolve();
  };
  subscribe(created, onCreated);
  work.then(end, end);
  return promise;
}
