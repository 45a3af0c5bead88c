/** What something between the job and AWS answers is never read as AWS's word, whoever asks. */
import { afterAll, beforeAll, describe, it, type TestContext, vi } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { adviceFor } from '../../src/telemetry/advice.ts';
import { type Asked, type Reply, startScriptedAws } from '../source/scripted-aws.ts';
import { answer, askers, blame, impatient, patient } from './askers.ts';

beforeAll(() => {
  for (const name of ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toUpperCase(), '');
  }
});
afterAll(() => vi.unstubAllEnvs());

async function answering(
  script: (asked: Asked) => Reply,
  retryForMs: number,
  onTestFinished: TestContext['onTestFinished'],
): Promise<Aws> {
  const server = await startScriptedAws((asked) => {
    const reply = script(asked);
    return typeof reply === 'string' ? reply : { ...reply, date: new Date().toUTCString() };
  });
  const aws = createAws({ endpointUrl: server.endpoint, maxSockets: 4, retryForMs });
  onTestFinished(async () => {
    aws.close();
    await server.close();
  });
  return aws;
}

const foreign = (
  status: number,
  type: string,
  body: string,
  headers: Record<string, string> = {},
): Reply => ({
  status,
  body,
  headers: { 'x-amzn-requestid': '', 'content-type': type, ...headers },
});
const page = '<html><head><title>Sign in</title></head><body>This host is blocked</body></html>';
const html = (status: number) => foreign(status, 'text/html', page);

const interceptors: readonly (readonly [string, number, Reply])[] = [
  ['a page with 200', 200, html(200)],
  [
    'a redirect to a login',
    302,
    foreign(302, 'text/html', page, { location: 'https://login.corp/?session=secret' }),
  ],
  ['a permanent redirect', 308, foreign(308, 'text/html', '', { location: 'https://login.corp/' })],
  ['a page with 403', 403, html(403)],
  ['a page with 404', 404, html(404)],
  ['a page with 503', 503, html(503)],
  ['an empty 200', 200, foreign(200, '', '')],
  ['an empty object with 200', 200, foreign(200, 'application/json', '{}')],
  ['JSON of something else with 200', 200, foreign(200, 'application/json', '{"foo":1}')],
  ['JSON of something else with 403', 403, foreign(403, 'application/json', '{"message":"Forbidden"}')],
  ['XML of something else with 200', 200, foreign(200, 'text/xml', '<portal><login/></portal>')],
  ['a 407', 407, html(407)],
  ['a 451', 451, html(451)],
  ['a 511', 511, html(511)],
];

// Side by side, because most of their time is the wait before AWS is asked again.
describe.each(Object.entries(askers))('when %s', (_, ask) => {
  it.concurrent.for(interceptors)(
    'and %s comes once (%i), AWS is asked again',
    async ([, , reply], { expect, onTestFinished }) => {
      const script = (asked: Asked) => (asked.number === 0 ? reply : answer(asked));
      const aws = await answering(script, patient, onTestFinished);
      expect(await ask(aws, patient)).toBe('OK');
    },
  );

  it.concurrent.for(interceptors)(
    'and %s always comes (%i), that is said, and nobody is blamed',
    async ([, status, reply], { expect, onTestFinished }) => {
      const aws = await answering(() => reply, impatient, onTestFinished);
      const end = await ask(aws, impatient).catch((error: unknown) => error);
      const said = end instanceof UnavailableError ? end.message : String(end);
      if (!(end instanceof UnavailableError)) expect(said).toMatch(/^UNREACHABLE /);
      expect(said).toContain(`something between the job and AWS answered ${status}`);
      expect(said).toContain('in place of 127.0.0.1');
      expect(said).not.toMatch(blame);
      expect(said).not.toContain('session=secret');
      const advice = status === 407 ? 'HTTPS_PROXY' : 'NO_PROXY';
      const shown =
        end instanceof UnavailableError ? said : adviceFor('UNREACHABLE', said.split(/[ :]/)[1] ?? '');
      expect(shown).toContain(advice);
    },
  );
});
