/** A request handler of the SDK with something done around each request. */
import type { NodeHttpHandler } from '@smithy/node-http-handler';

/** The same handler, whose requests go through `handle`; all else is asked of the handler itself. */
export function wrapped(handler: NodeHttpHandler, handle: NodeHttpHandler['handle']): NodeHttpHandler {
  return new Proxy(handler, {
    get: (target, name) => {
      if (name === 'handle') return handle;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
