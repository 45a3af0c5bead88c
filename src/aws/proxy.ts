/**
 * Finds the proxy for a URL in the environment. The rules are curl's (https://curl.se/docs/manpage.html, ENVIRONMENT;
 * https://curl.se/libcurl/c/CURLOPT_NOPROXY.html), plus what Python and Go add: ports and `*.` in NO_PROXY.
 * proxy-agent's own rules differ: a plain name matches no subdomain, there is no CIDR, and a proxy without a scheme gets
 * the scheme of the URL (proxy-from-env, index.js).
 */
import { BlockList, isIP } from 'node:net';
import { UsageError } from '../shared/errors.ts';

/** Returns the URL of the proxy; '': none. */
export type ProxyFor = (url: string) => string;

type Environment = Readonly<Record<string, string | undefined>>;

/** The schemes that proxy-agent supports for a proxy. */
const schemes = ['http', 'https', 'socks', 'socks4', 'socks4a', 'socks5', 'socks5h'];

/**
 * Null: the environment names no proxy at all.
 * @throws UsageError when a variable does not hold the address of a proxy
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

/** The lower-case name wins. An empty variable counts as unset. */
function variable(environment: Environment, lowerCase: string): { name: string; value: string } | null {
  for (const name of [lowerCase, lowerCase.toUpperCase()]) {
    const value = environment[name]?.trim();
    if (value) return { name, value };
  }
  return null;
}

/**
 * The address in a variable, as a URL that any client can read. User and password may contain unencoded URL characters
 * (`#`, `@`, `/`, `:`, `%`): they end at the last @, because no host contains one.
 */
function proxyIn(environment: Environment, lowerCase: string): string | null {
  const found = variable(environment, lowerCase);
  if (found === null) return null;
  const [, scheme = 'http', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(found.value) ?? [];
  const end = rest.lastIndexOf('@');
  const url = `http://${rest.slice(end + 1)}`;
  // `new URL` would accept a path, a query or a wrong port, and drop it silently.
  const [, host, port = ''] = /^http:\/\/(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(:\d{1,5})?\/?$/i.exec(url) ?? [];
  if (host === undefined || !URL.canParse(url) || !schemes.includes(scheme.toLowerCase())) {
    throw new UsageError(
      `${found.name} in the environment is not the address of a proxy`,
      'Write http://host:port, or http://user:password@host:port if the proxy requires a login, with special characters percent-encoded (# is %23). The scheme can be http, https, socks5 or socks5h.',
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

/** A percent sign that encodes nothing is just a percent sign. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns a check: does this host and port bypass the proxy? */
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
  // A port follows a name, an IPv4 address or brackets. An item with more colons is an IPv6 address.
  const [, name = item, onlyPort] = /^([^:]+|\[[^\]]+\]):(\d+)$/.exec(item) ?? [];
  const rightPort = (port: number): boolean => onlyPort === undefined || Number(onlyPort) === port;
  const address = networkOf(bare(name));
  if (address !== null) return (host, port) => rightPort(port) && address(host, port);
  // proxy-from-env takes *example.com, without a dot, for any name that ends so.
  if (/^\*[^.]/.test(name))
    return (host, port) => rightPort(port) && isName(host) && host.endsWith(name.slice(1));
  const domain = bare(name.replace(/^\*?\.+/, ''));
  return (host, port) => rightPort(port) && isName(host) && (host === domain || host.endsWith(`.${domain}`));
}

function isName(host: string): boolean {
  return isIP(host) === 0;
}

/** The rule for an IP address or a network in CIDR notation; null: the item is neither. */
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

/** Without the brackets of an IPv6 address and the dot at the end of a name. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
