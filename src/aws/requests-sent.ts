/** When requests are on their way, so that the time until their responses come can be used. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

/** Node tells of each HTTP request here (nodejs.org/api/diagnostics_channel.html). */
const created = 'http.client.request.created';

/**
 * Resolves when the HTTP requests that this process makes next have been handed to the network, or have failed: those that
 * begin before the first of them is. Never rejects.
 * @param work also resolves when this has ended: it may need no request
 */
export function nextRequestsSent(work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsent = new Set<ClientRequest>();
  const end = (): void => {
    unsubscribe(created, onCreated);
    resolve();
  };
  function onCreated(message: unknown): void {
    // Safe: the documentation says that the message holds the request.
    const { request } = message as { readonly request: ClientRequest };
    unsent.add(request);
    const onSent = () => {
      unsent.delete(request);
      if (unsent.size === 0) end();
    };
    request.once('finish', onSent).once('close', onSent);
  }
  subscribe(created, onCreated);
  work.then(end, end);
  return promise;
}
