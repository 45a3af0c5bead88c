/**
 * Which proxy the environment names for a URL. The rules are curl's (https://curl.se/docs/manpage.html, ENVIRONMENT;
 * https://curl.se/libcurl/c/CURLOPT_NOPROXY.html), with what Python and Go add: ports and `*.` in NO_PROXY.
 * proxy-agent's own rules are others: a plain name matches no subdomain, there is no CIDR, and a proxy without a
 * scheme is spoken to in the scheme of the URL (proxy-from-env, index.js).
 */
import { BlockList, isIP } from 'node:net';
import { UsageError } from '../shared/errors.ts';

/** Gives the URL of the proxy; '': none. */
export type ProxyFor = (url: string) => string;

type Environment = Readonly<Record<string, string | undefined>>;

/** The schemes that proxy-agent speaks to a proxy. */
const schemes = ['http', 'https', 'socks', 'socks4', 'socks4a', 'socks5', 'socks5h'];

/**
 * Null: the environment names no proxy at all.
 * @throws UsageError when a variable holds what cannot be the address of a proxy
 */
export function proxyFrom(environment: Environment): ProxyFor | null {
  const forHttps = proxyIn(environment, 'https_proxy') ?? proxyIn(environment, 'all_proxy');
  const forHttp = proxyIn(environment, 'http_proxy') ?? proxyIn(environment, 'all_proxy');
  if (forHttps === null && forHttp === null) return null;
  const bypassed = bypassOf(variable(environment, 'no_proxy')?.value ?? '');
  return (url) => {
    const { protocol, hostname, port } = new URL(url);
    const secure = protocol === 'https:';
    if (bypassed(hostname, port === '' ? (secure ? 443 : 80) : Number(port))) return '';
    return (secure ? forHttps : forHttp) ?? '';
  };
}

/** The small name wins, and an empty variable is none. */
function variable(environment: Environment, small: string): { name: string; value: string } | null {
  for (const name of [small, small.toUpperCase()]) {
    const value = environment[name]?.trim();
    if (value) return { name, value };
  }
  return null;
}

/**
 * The address in a variable, as a URL that any client can read. User and password may hold the characters that belong
 * to a URL (`#`, `@`, `/`, `:`, `%`) as they are: the last @ ends them, since no host can hold one.
 */
function proxyIn(environment: Environment, small: string): string | null {
  const found = variable(environment, small);
  if (found === null) return null;
  const [, scheme = 'http', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(found.value) ?? [];
  const end = rest.lastIndexOf('@');
  const url = `http://${rest.slice(end + 1)}`;
  // `new URL` would take a path, a query or a wrong port along, and drop them without a word.
  const [, host, port = ''] = /^http:\/\/(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(:\d{1,5})?\/?$/i.exec(url) ?? [];
  if (host === undefined || !URL.canParse(url) || !schemes.includes(scheme.toLowerCase())) {
    throw new UsageError(
      `${found.name} in the environment is not the address of a proxy`,
      'Write http://host:port, and before the host a user and a password where the proxy wants them, with special characters percent-encoded (# is %23); the scheme may be http, https, socks5 or socks5h.',
    );
  }
  const login = end < 0 ? '' : `${encodedLogin(rest.slice(0, end))}@`;
  return `${scheme.toLowerCase()}://${login}${host}${port}`;
}

function encodedLogin(login: string): string {
  const colon = login.indexOf(':');
  const parts = colon < 0 ? [login] : [login.slice(0, colon), login.slice(colon + 1)];
  return parts.map((part) => encodeURIComponent(decoded(part))).join(':');
}

/** A percent sign that encodes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether a host and port of a URL are to be asked without a proxy. */
function bypassOf(list: string): (hostname: string, port: number) => boolean {
  const rules = list.split(/[\s,]+/).flatMap((item) => (item === '' ? [] : [ruleOf(item.toLowerCase())]));
  return (hostname, port) => {
    const host = bare(hostname.toLowerCase());
    return rules.some((matches) => matches(host, port));
  };
}

type Rule = (host: string, port: number) => boolean;

function ruleOf(item: string): Rule {
  if (item === '*') return () => true;
  const network = networkOf(item);
  if (network !== null) return network;
  // A port stands behind a name, an IPv4 address or brackets; what has more colons is an IPv6 address.
  const [, name = item, onlyPort] = /^([^:]+|\[[^\]]+\]):(\d+)$/.exec(item) ?? [];
  const rightPort = (port: number): boolean => onlyPort === undefined || Number(onlyPort) === port;
  const address = networkOf(bare(name));
  if (address !== null) return (host, port) => rightPort(port) && address(host, port);
  // *example.com without a dot is what proxy-from-env takes for any ending.
  if (/^\*[^.]/.test(name))
    return (host, port) => rightPort(port) && isName(host) && host.endsWith(name.slice(1));
  const domain = bare(name.replace(/^\*?\.+/, ''));
  return (host, port) => rightPort(port) && isName(host) && (host === domain || host.endsWith(`.${domain}`));
}

function isName(host: string): boolean {
  return isIP(host) === 0;
}

/** For an IP address or a network in CIDR notation; null: it is neither. */
function networkOf(item: string): Rule | null {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
  const version = isIP(address);
  if (version === 0) return null;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const most = version === 4 ? 32 : 128;
  const network = new BlockList();
  network.addSubnet(address, Math.min(Number(bits ?? most), most), family);
  return (host) => isIP(host) !== 0 && network.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

/** Without the brackets of an IPv6 address, and without the dot that may end a name. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
