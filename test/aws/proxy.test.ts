import { describe, expect, it, test } from 'vitest';
import { proxyFrom } from '../../src/aws/proxy.ts';
import { UsageError } from '../../src/shared/errors.ts';

const backup = 'https://backup.us-east-1.amazonaws.com/copy-jobs/';
const proxied = (noProxy: string, url: string): boolean =>
  proxyFrom({ HTTPS_PROXY: 'http://proxy:3128', HTTP_PROXY: 'http://proxy:3128', NO_PROXY: noProxy })?.(
    url,
  ) !== '';

describe('NO_PROXY names a host as in curl', () => {
  test.each([
    ['amazonaws.com', backup],
    ['us-east-1.amazonaws.com', backup],
    ['backup.us-east-1.amazonaws.com', backup],
    ['.amazonaws.com', backup],
    ['.amazonaws.com', 'https://amazonaws.com/'],
    ['*.amazonaws.com', backup],
    ['*amazonaws.com', backup],
    ['AMAZONAWS.COM', backup],
    ['amazonaws.com.', backup],
    ['amazonaws.com', 'https://backup.us-east-1.amazonaws.com./'],
    ['example.com, amazonaws.com', backup],
    ['example.com amazonaws.com', backup],
    ['example.com,*', backup],
    ['*', backup],
    ['amazonaws.com:443', backup],
    ['127.0.0.1:9000', 'http://127.0.0.1:9000/'],
    ['169.254.169.254', 'http://169.254.169.254/latest/'],
    ['169.254.0.0/16', 'http://169.254.170.2/v2/credentials'],
    ['10.0.0.0/8,169.254.0.0/16', 'http://169.254.170.23/v1/credentials'],
    ['::1', 'http://[::1]:9000/'],
    ['[::1]', 'http://[::1]:9000/'],
    ['[::1]:9000', 'http://[::1]:9000/'],
    ['fd00:ec2::/32', 'http://[fd00:ec2::23]/v1/credentials'],
    ['0:0:0:0:0:0:0:1', 'http://[::1]/'],
  ])('%s: no proxy for %s', (noProxy, url) => {
    expect(proxied(noProxy, url)).toBe(false);
  });

  test.each([
    ['', backup],
    ['aws.com', backup],
    ['com.amazonaws', backup],
    ['amazonaws.com', 'https://amazonaws.com.example.org/'],
    ['amazonaws.com', 'https://notamazonaws.com/'],
    ['amazonaws.com:80', backup],
    ['127.0.0.1:9000', 'http://127.0.0.1:9001/'],
    ['0.0.1', 'http://127.0.0.1/'],
    ['169.254.0.0/16', 'http://169.253.170.2/'],
    ['169.254.0.0/16', backup],
    ['fd00:ec2::/32', 'http://[fd01::1]/'],
    ['[::1]:9000', 'http://[::1]:9001/'],
    [' , ,', backup],
  ])('%j: the proxy for %s', (noProxy, url) => {
    expect(proxied(noProxy, url)).toBe(true);
  });
});

describe('the variable that counts', () => {
  const of = (environment: Record<string, string>, url = backup) => proxyFrom(environment)?.(url) ?? null;

  it.each([
    [
      'the small name before the great one',
      { https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:1' },
      'http://a:1',
    ],
    [
      'the great one where the small one is empty',
      { https_proxy: '', HTTPS_PROXY: 'http://b:1' },
      'http://b:1',
    ],
    [
      'ALL_PROXY where the scheme has none',
      { HTTP_PROXY: 'http://a:1', ALL_PROXY: 'socks5h://b:1' },
      'socks5h://b:1',
    ],
    [
      'the scheme’s own before ALL_PROXY',
      { HTTPS_PROXY: 'http://a:1', ALL_PROXY: 'http://b:1' },
      'http://a:1',
    ],
    ['none for https where only HTTP_PROXY is set', { HTTP_PROXY: 'http://a:1' }, ''],
    ['none at all', { HTTPS_PROXY: '', all_proxy: ' ' }, null],
    [
      'no_proxy before NO_PROXY',
      { HTTPS_PROXY: 'http://a:1', no_proxy: 'x.org', NO_PROXY: '*' },
      'http://a:1',
    ],
  ])('%s', (_, environment, expected) => {
    expect(of(environment)).toBe(expected);
  });
});

describe('the address of a proxy', () => {
  const of = (address: string) => proxyFrom({ HTTPS_PROXY: address })?.(backup);

  it.each([
    ['proxy.example.com:3128', 'http://proxy.example.com:3128'],
    ['proxy', 'http://proxy'],
    ['10.0.0.1:3128\n', 'http://10.0.0.1:3128'],
    ['[fd00::1]:3128', 'http://[fd00::1]:3128'],
    ['user:word@proxy:3128', 'http://user:word@proxy:3128'],
    ['http://proxy:3128/', 'http://proxy:3128'],
    ['HTTPS://proxy:3128', 'https://proxy:3128'],
    ['socks5h://proxy:1080', 'socks5h://proxy:1080'],
    ['http://user@proxy:3128', 'http://user@proxy:3128'],
  ])('%j is %s', (address, expected) => {
    expect(of(address)).toBe(expected);
  });

  it.each(['pa#ss', 'p@ss', 'pa:ss', 'pa/ss', 'pa?ss', '100%', '%zz', 'a b', 'pä#@:/?%', '[x]'])(
    'may hold the password %j as it is, and percent-encoded',
    (password) => {
      for (const written of [password, encodeURIComponent(password)]) {
        const url = new URL(of(`http://DOMAIN%5Cuser:${written}@proxy:3128`) ?? '');
        expect(decodeURIComponent(url.password)).toBe(password);
        expect([decodeURIComponent(url.username), url.host]).toEqual(['DOMAIN\\user', 'proxy:3128']);
      }
    },
  );

  it.each([
    'http://',
    'http://user:sesame@',
    'http://user:sesame@proxy:port',
    'http://user:sesame@proxy:3128/path',
    'http://user:sesame@proxy:99999',
    'ftp://user:sesame@proxy:21',
    'http://user:sesame@pro xy:3128',
    '://proxy',
  ])('%j is refused by the name of its variable, without the password', (address) => {
    expect(() => proxyFrom({ https_proxy: address })).toThrow(UsageError);
    expect(() => proxyFrom({ https_proxy: address })).toThrow(
      /^https_proxy in the environment is not the address of a proxy\. Write http:/,
    );
    expect(() => proxyFrom({ ALL_PROXY: address })).not.toThrow(/sesame/);
    expect(() => proxyFrom({ ALL_PROXY: address })).toThrow(/^ALL_PROXY/);
  });
});
