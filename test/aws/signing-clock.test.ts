import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { signedBy } from '../../src/aws/signing-clock.ts';
import { staticCredentials } from '../source/reading.ts';
import {
  type Asked,
  callerIdentity,
  type Reply,
  type ScriptedAws,
  startScriptedAws,
  stsRefusal,
} from '../source/scripted-aws.ts';

const day = 86_400_000;
let server: ScriptedAws | null = null;
let aws: Aws | null = null;
afterEach(async () => {
  vi.restoreAllMocks();
  aws?.close();
  await server?.close();
});

/** An STS that refuses what is dated wrongly by `clock`, and says in its Date what `date` says. */
async function sts(
  clock: () => number,
  date: (asked: Asked) => number = clock,
  pass: () => Promise<void> = async () => undefined,
) {
  server = await startScriptedAws(async (asked): Promise<Reply> => {
    await pass();
    const right = Math.abs(asked.signedFor - clock()) < 5 * 60_000;
    const reply = right
      ? callerIdentity()
      : stsRefusal('SignatureDoesNotMatch', 'Signature expired: it is later');
    return { ...(reply as object), date: new Date(date(asked)).toUTCString() };
  });
  aws = createAws({ endpointUrl: server.endpoint, maxSockets: 4 });
  const client = signedBy(aws.clock, new STSClient(aws.clientDefaults('us-east-1', staticCredentials)));
  return { ask: () => client.send(new GetCallerIdentityCommand({})), asked: server.asked, clock: aws.clock };
}

describe('a signature', () => {
  it('that is refused for its date is made again by the answer’s', async () => {
    const { ask, asked } = await sts(() => Date.now() - 5 * day);
    await ask();
    expect(asked).toHaveLength(2);
    await ask();
    expect(asked).toHaveLength(3);
  });

  it.each([-day, day])('is dated rightly after the local clock was set by %d ms', async (jump) => {
    const realNow = Date.now;
    const { ask, asked } = await sts(() => realNow());
    await ask();
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + jump);
    await ask();
    expect(asked).toHaveLength(2);
  });

  it('is dated rightly after an answer whose Date was wrong', async () => {
    const { ask, asked } = await sts(
      () => Date.now(),
      ({ number }) => Date.now() + (number === 0 ? 40 * day : 0),
    );
    await ask();
    await ask();
    // Refused once, for no time was agreed on; corrected by the refusal.
    expect(asked).toHaveLength(3);
  });

  it('is not moved by a wrong Date once a time is agreed on', async () => {
    const { ask, asked, clock } = await sts(
      () => Date.now(),
      () => Date.now() + 40 * day,
    );
    clock.agree(clock.local());
    await ask();
    await ask();
    expect(asked).toHaveLength(2);
  });

  it('is corrected once for requests side by side that are all refused for their date', async () => {
    const { ask, asked, clock } = await sts(
      () => Date.now(),
      () => Date.now(),
      pairs(),
    );
    // A machine that has slept: its monotonic clock has not gone on.
    clock.agree({ ...clock.local(), epochMs: Date.now() - day });
    await Promise.all([ask(), ask()]);
    expect(asked).toHaveLength(4);
  });
});

/** Lets requests pass two by two. */
function pairs(): () => Promise<void> {
  let waiting: (() => void) | null = null;
  return () =>
    new Promise((resolve) => {
      if (waiting === null) {
        waiting = resolve;
        return;
      }
      waiting();
      waiting = null;
      resolve();
    });
}
