/**
 * Loaded into a program before its own modules: names below amazonaws.com lead to `port` of this machine, but for those
 * that match `missing`, which do not exist, and those that match `silent`, about which no name server answers.
 */
import dns from 'node:dns';
import { Socket } from 'node:net';

const { searchParams } = new URL(import.meta.url);
const port = Number(searchParams.get('port'));
const pattern = (name: string) => {
  const text = searchParams.get(name);
  return text === null ? /(?!)/ : new RegExp(text);
};
const missing = pattern('missing');
const silent = pattern('silent');
const isAws = (host: unknown) => typeof host === 'string' && host.endsWith('.amazonaws.com');

const { lookup } = dns;
type Callback = (error: NodeJS.ErrnoException | null, address?: unknown, family?: number) => void;

function redirected(host: string, options: unknown, given?: Callback): void {
  // Node's own signature has the options optional; its callers always give a callback last.
  const callback = (given ?? options) as Callback;
  if (!isAws(host)) {
    // As it came.
    Reflect.apply(lookup, dns, given === undefined ? [host, callback] : [host, options, callback]);
    return;
  }
  const code = missing.test(host) ? 'ENOTFOUND' : silent.test(host) ? 'EAI_AGAIN' : null;
  const all = typeof options === 'object' && options !== null && Reflect.get(options, 'all') === true;
  process.nextTick(() => {
    if (code !== null) {
      callback(
        Object.assign(new Error(`getaddrinfo ${code} ${host}`), {
          code,
          errno: -3008,
          syscall: 'getaddrinfo',
          hostname: host,
        }),
      );
    } else if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  });
}
Reflect.set(dns, 'lookup', redirected);

const { connect } = Socket.prototype;
Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
  // Node hands on its own arguments as one array: lib/net.js, normalizeArgs.
  const [first] = Array.isArray(given[0]) ? given[0] : given;
  if (typeof first === 'object' && first !== null && isAws(Reflect.get(first, 'host')))
    Reflect.set(first, 'port', port);
  return Reflect.apply(connect, this, given);
};
