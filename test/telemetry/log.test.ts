import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/shared/errors.ts';
import { createLog, type Log, type LogOptions } from '../../src/telemetry/log.ts';

function capture(options: Partial<LogOptions> = {}): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'json',
    color: false,
    secrets: [],
    write: (line) => lines.push(line),
    ...options,
  });
  return { log, lines };
}

function only(lines: readonly string[]): Record<string, unknown> {
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '');
}

describe('for machines', () => {
  test('a line is JSON with a level by name, an ISO time and its fields', () => {
    const { log, lines } = capture();
    const target = log.child({
      run_id: 'r1',
      account_id: '111122223333',
      region: 'us-east-1',
      table: 'copy_jobs',
    });
    target.warn({ pages: 3 }, 'slow');
    const { time, ...rest } = only(lines);
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(rest).toEqual({
      level: 'warn',
      run_id: 'r1',
      account_id: '111122223333',
      region: 'us-east-1',
      table: 'copy_jobs',
      pages: 3,
      msg: 'slow',
    });
    expect(lines[0]?.endsWith('\n')).toBe(true);
  });

  test('lines below the level are not written, and none at all when silent', () => {
    const { log, lines } = capture({ level: 'warn' });
    log.info('quiet');
    expect(lines).toEqual([]);
    const silent = capture({ level: 'silent' });
    silent.log.fatal('quiet');
    expect(silent.lines).toEqual([]);
  });
});

const authorization =
  'AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE000000001/20261120/us-east-1/backup/aws4_request, SignedHeaders=host, Signature=5d672d79c15b13162d9279b0855cfba6';
const sessionToken = `IQoJb3JpZ2luX2VjEJr${'Abc9/+'.repeat(20)}==`;

/** An error as the SDK makes it: its request and response, headers included, hang on it. */
function sdkError(): Error {
  const headers = { authorization, 'x-amz-security-token': sessionToken, cookie: 'choc=olate' };
  return Object.assign(new Error('User is not authorized to perform backup:ListCopyJobs'), {
    name: 'AccessDeniedException',
    $fault: 'client',
    $metadata: { httpStatusCode: 403, requestId: 'req-1', attempts: 1 },
    $response: {
      statusCode: 403,
      headers,
      body: { secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    },
    request: { headers },
    code: 'AccessDenied',
  });
}

describe.each(['json', 'pretty'] as const)('no secret is written, %s', (format) => {
  const secrets = [
    authorization.slice(-20),
    sessionToken,
    'wJalrXUtnFEMI/K7MDENG',
    'our "own" id',
    'olate',
    'ASIAEXAMPLE',
  ];

  test.each<readonly [string, (log: Log) => void]>([
    ['an SDK error as err', (log) => log.error({ err: sdkError() }, 'failed')],
    ['an SDK error alone', (log) => log.error(sdkError())],
    [
      'an SDK error under another name',
      (log) => log.error({ cause: sdkError(), list: [sdkError()] }, 'failed'),
    ],
    ['an SDK error in a child', (log) => log.child({ cause: sdkError() }).error('failed')],
    [
      'the headers of a request',
      (log) => log.info({ request: { headers: { Authorization: authorization } } }, 'sent'),
    ],
    [
      'credentials',
      (log) =>
        log.info({
          credentials: { accessKeyId: 'ASIAEXAMPLE000000001', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' },
          keys: { SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG', sessionToken },
        }),
    ],
    [
      'headers that have no form of their own',
      (log) =>
        log.info({
          headers: { Authorization: 'choc-olate', cookie: 'olate', 'X-Amz-Security-Token': 'olate' },
        }),
    ],
    ['a header in a message', (log) => log.info(`sent authorization: ${authorization}`)],
    [
      'a signed URL in a message',
      (log) =>
        log.info(
          `GET https://b.s3.amazonaws.com/k?X-Amz-Credential=ASIAEXAMPLE000000001%2F2026&X-Amz-Security-Token=${encodeURIComponent(sessionToken)}&X-Amz-Signature=${authorization.slice(-32)}`,
        ),
    ],
    ['a token in a message', (log) => log.info(`token ${sessionToken} expired`)],
    [
      'an external id as a field',
      (log) => log.info({ externalId: 'our "own" id', external_id: 'our "own" id' }),
    ],
    ['an external id in a message', (log) => log.info('role with our "own" id refused')],
    ['an external id in an error', (log) => log.error(new Error('role with our "own" id refused'))],
  ])('%s', (_, write) => {
    const { log, lines } = capture({ format, secrets: ['our "own" id'] });
    write(log);
    const text = lines.join('');
    expect(text.length).toBeGreaterThan(20);
    for (const secret of secrets) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  });
});

test('a secret that is a number leaves numbers alone, and the line whole', () => {
  const { log, lines } = capture({ secrets: ['123456'] });
  log.info(
    { rows: 123456, pages: [1234567], of: { account: 'a123456', '123456': 1 } },
    'role 123456 refused',
  );
  expect(only(lines)).toMatchObject({
    rows: 123456,
    pages: [1234567],
    of: { account: 'a[redacted]', '[redacted]': 1 },
    msg: 'role [redacted] refused',
  });
});

test('a field that is named as a signature is hidden, whatever it holds', () => {
  const { log, lines } = capture();
  log.info({ headers: { 'X-Amz-Signature': 0, 'x-amz-credential': { scope: 'x' }, rows: 7 } });
  expect(only(lines).headers).toEqual({
    'X-Amz-Signature': '[redacted]',
    'x-amz-credential': '[redacted]',
    rows: 7,
  });
});

test('an error keeps its name, message, code, request id and stack, and nothing else', () => {
  const { log, lines } = capture();
  log.error({ err: sdkError() }, 'failed');
  const { err } = only(lines);
  expect(err).toEqual({
    name: 'AccessDeniedException',
    message: 'User is not authorized to perform backup:ListCopyJobs',
    code: 'AccessDenied',
    requestId: 'req-1',
    stack: expect.stringContaining('sdkError'),
  });
});

test('an error for people has no stack', () => {
  const { log, lines } = capture();
  log.fatal({ err: new UsageError('what', 'do') }, 'end');
  expect(only(lines).err).toEqual({ name: 'UsageError', message: 'what. do' });
});

test('fields that point at themselves, big integers and bytes can be written', () => {
  const { log, lines } = capture();
  const loop: Record<string, unknown> = { n: 2n ** 60n, body: Buffer.from('secret body') };
  loop.self = loop;
  log.info({ loop }, 'round');
  expect(only(lines)).toMatchObject({
    loop: { n: '1152921504606846976', body: '[11 bytes]', self: '[circular]' },
  });
});

describe('for a terminal', () => {
  test('a line is readable, and no JSON', () => {
    const { log, lines } = capture({ format: 'pretty' });
    log.info({ region: 'us-east-1' }, 'drained');
    expect(lines[0]).toMatch(/INFO.*: drained \{"region":"us-east-1"\}\n$/);
  });

  test('there are no escapes without colour, and some with it', () => {
    const plain = capture({ format: 'pretty' });
    plain.log.error({ err: sdkError() }, 'failed');
    expect(plain.lines.join('')).not.toContain('\u001b');
    const colored = capture({ format: 'pretty', color: true });
    colored.log.info('x');
    expect(colored.lines.join('')).toContain('\u001b[');
  });

  test("escapes in AWS's messages do not reach the terminal", () => {
    const { log, lines } = capture({ format: 'pretty' });
    log.error(
      { err: new Error('bad \u001b[2J\u0007\r\nFAKE LINE'), name: '\u009b31m' },
      'msg \u001b]0;title\u0007\nFAKE LINE \u202e',
    );
    expect(lines.join('')).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    expect(lines.join('')).not.toMatch(/^FAKE LINE/m);
  });
});

test('the summary that a person reads on stdout is not in the pretty log; a machine finds it in the JSON', () => {
  const logged = (format: 'json' | 'pretty'): string => {
    const lines: string[] = [];
    const log = createLog({
      level: 'info',
      format,
      color: false,
      secrets: [],
      write: (line) => void lines.push(line),
    });
    log.info({ summary: { targets: 80 }, run_id: 'r' }, 'the run has ended');
    return lines.join('');
  };
  expect(logged('pretty')).toMatch(/INFO: the run has ended \{"run_id":"r"\}\n$/);
  expect(JSON.parse(logged('json'))).toMatchObject({ summary: { targets: 80 } });
});
