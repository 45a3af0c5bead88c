/** What breaks on the way to AWS is asked again, whoever asks; and when it stays so, nobody is blamed for it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { startScriptedAws } from '../source/scripted-aws.ts';
import {
  type Hurt,
  hurtsOfAnswers,
  hurtsOfTunnels,
  startRoughWay,
  startTlsFor,
} from '../support/rough-way.ts';
import { answer, askers, blame, impatient, patient } from './askers.ts';

const closing: (() => unknown)[] = [];

beforeEach(() => {
  for (const name of ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toUpperCase(), '');
  }
  // Who signed the certificate is not what is tried here.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.unstubAllEnvs();
});

/** @param hurt meets so many connections; those after it are let through */
async function over(kind: 'tunnel' | 'plain', hurt: Hurt, times: number, retryForMs: number): Promise<Aws> {
  const server = await startScriptedAws((asked) => {
    const reply = answer(asked);
    return typeof reply === 'string' ? reply : { ...reply, date: new Date().toUTCString() };
  });
  closing.push(() => server.close());
  const port = Number(new URL(server.endpoint).port);
  const tls = kind === 'tunnel' ? await startTlsFor(port) : null;
  if (tls !== null) closing.push(() => tls.close());
  const behind = tls === null ? port : Number(tls.address.split(':')[1]);
  const way = await startRoughWay(behind, (connection) => (connection < times ? hurt : null));
  closing.push(() => way.close());
  if (tls !== null) vi.stubEnv('HTTPS_PROXY', `http://${way.address}`);
  const endpointUrl = tls === null ? `http://${way.address}` : `https://${tls.address}`;
  const aws = createAws({ endpointUrl, maxSockets: 4, retryForMs });
  closing.push(() => aws.close());
  return aws;
}

const hurts = [
  ...Object.entries(hurtsOfTunnels).map(([name, hurt]) => ({ name, hurt, kind: 'tunnel' as const })),
  ...Object.entries(hurtsOfAnswers).map(([name, hurt]) => ({ name, hurt, kind: 'plain' as const })),
];

describe.each(Object.entries(askers))('when %s', (_, ask) => {
  it.each(hurts)('and once $name, it is asked again', async ({ hurt, kind }) => {
    expect(await ask(await over(kind, hurt, 1, patient), patient)).toBe('OK');
  });

  it.each(hurts)(
    'and always $name, it is UNREACHABLE or a 75, and nobody is blamed',
    async ({ hurt, kind }) => {
      const aws = await over(kind, hurt, Number.POSITIVE_INFINITY, impatient);
      const end = await ask(aws, impatient).catch((error: unknown) => error);
      if (end instanceof UnavailableError) {
        expect(end.exitCode).toBe(75);
        expect(end.message).not.toMatch(blame);
      } else {
        expect(end).toMatch(/^UNREACHABLE /);
        expect(end).not.toMatch(blame);
      }
    },
  );
});
