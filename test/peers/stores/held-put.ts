/** Stands between a program and an S3 server, and holds a write until the program is dead. */
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HeldPut {
  /** To be given to the program. What it signs is passed on as it is, the name of the host included. */
  readonly endpoint: string;
  /** Resolves when the nth PUT is held and those before it have been answered. */
  readonly held: Promise<void>;
  close(): void;
}

/** Holds the nth PUT to a path of this kind and all such that come after it: the server never hears of them. */
export async function holdPut(server: string, path: RegExp, nth: number): Promise<HeldPut> {
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const passed: Promise<void>[] = [];
  const proxy = createServer((incoming, outgoing) => {
    const { method, url = '/', headers } = incoming;
    if (method === 'PUT' && path.test(new URL(url, server).pathname)) {
      if (passed.length === nth - 1) {
        void Promise.all(passed).then(() => resolve());
        return;
      }
      passed.push(new Promise((answered) => outgoing.once('close', answered)));
    }
    const onward = send(server + url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    // Who is killed leaves requests behind.
    onward.once('error', () => outgoing.destroy());
    incoming.once('error', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  // Safe: a server that listens on a port has an address of this kind.
  const { port } = proxy.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    held,
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
