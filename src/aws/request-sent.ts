/** When a request is on its way, so that the time until its response comes can be used. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

/** Node tells of each HTTP request here (nodejs.org/api/diagnostics_channel.html). */
const created = 'http.client.request.created';

/**
 * Resolves when the next HTTP request of this process has been handed to the network, or has failed. Never rejects.
 * @param work also resolves when this has ended: perhaps no request is made
 */
export function nextRequestSent(work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onCreated = (message: unknown): void => {
    unsubscribe(created, onCreated);
    // Safe: the documentation says that the message holds the request.
    const { request } = message as { readonly request: ClientRequest };
    request.once('finish', resolve).once('close', resolve);
  };
  const end = (): void => {
    unsubscribe(created, onCreated);
    resolve();
  };
  subscribe(created, onCreated);
  work.then(end, end);
  return promise;
}
