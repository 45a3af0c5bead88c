/** Wraps the SDK's request handler, to do something around each request. */
import type { NodeHttpHandler } from '@smithy/node-http-handler';

/** The same handler, with `handle` in place of its own. Everything else goes to the handler itself. */
export function wrapped(handler: NodeHttpHandler, handle: NodeHttpHandler['handle']): NodeHttpHandler {
  return new Proxy(handler, {
    get: (target, name) => {
      if (name === 'handle') return handle;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
