import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { AsOf } from '../../src/targets/as-of.ts';
import {
  type Asked,
  type Reply,
  refusal,
  type ScriptedAws,
  startScriptedAws,
} from '../source/scripted-aws.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

let server: ScriptedAws | null = null;
let aws: Aws | null = null;
afterEach(async () => {
  aws?.close();
  await server?.close();
});

/** What STS said, off the machine's clock by `sts`; whoever else is asked says what `others` says. */
async function court(sts: number, others: (asked: Asked) => number | 'reset') {
  server = await startScriptedAws((asked): Reply => {
    const off = others(asked);
    if (off === 'reset') return 'reset';
    const reply = refusal('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
    return { ...(reply as object), date: new Date(Date.now() + off).toUTCString() };
  });
  aws = createAws({ endpointUrl: server.endpoint, maxSockets: 4 });
  const { clock } = aws;
  clock.saw('AWS STS in us-east-1', Date.now() + sts);
  const log = pino({ level: 'silent' });
  const { signal } = new AbortController();
  return { asOf: new AsOf({ aws, homeRegion: 'us-east-1', regions: 'enabled', log, signal }), clock, server };
}

/** In whole minutes; zero has no sign. */
const off = (epochMs: number) => Math.round((epochMs - Date.now()) / minute) + 0;

describe('as-of', () => {
  it('is what STS says where the local clock agrees, and nobody else is asked', async () => {
    const { asOf, server } = await court(minute, () => 0);
    expect(off(await asOf.determine())).toBe(1);
    expect(server.asked).toHaveLength(0);
  });

  it('is what two services of AWS say where the local clock does not agree', async () => {
    const { asOf, server } = await court(6 * day, () => 6 * day);
    expect(off(await asOf.determine())).toBe((6 * day) / minute);
    expect(server.asked).toHaveLength(1);
  });

  it('is asked for without a signature, so that no permission is needed', async () => {
    const { asOf, server } = await court(40 * day, () => 6 * day);
    await asOf.determine();
    expect(server.asked.map(({ accessKeyId }) => accessKeyId)).toEqual(['', '', '', '']);
  });

  it('is refused, naming all, where STS and the local clock differ and nobody else can be asked', async () => {
    const { asOf } = await court(40 * day, () => 'reset');
    const error: unknown = await asOf.determine().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(String(error)).toMatch(/AWS STS in us-east-1 says .*, the clock of this machine says /);
  });

  it('does not depend on what was asked for something else, and has responded already', async () => {
    const { asOf, clock, server } = await court(40 * day, () => 0);
    clock.note('AWS Organizations in us-east-1', Date.now() + 40 * day);
    expect(off(await asOf.determine())).toBe(0);
    expect(server.asked).toHaveLength(1);
  });

  it('is confirmed by all that have responded', async () => {
    const { asOf, clock, server } = await court(0, () => 0);
    clock.note('AWS Organizations in us-east-1', Date.now());
    await asOf.determine();
    await asOf.confirm({ store: null, newestRun: { key: 'a begin record', asOf: Date.now() + day } });
    expect(server.asked).toHaveLength(0);
  });

  it('stays behind no run of the lake unless two of AWS say so', async () => {
    const newestRun = { key: 'a begin record', asOf: Date.now() + day };
    const alone = await court(0, () => 'reset');
    await alone.asOf.determine();
    await expect(alone.asOf.confirm({ store: null, newestRun })).rejects.toThrow('a begin record');
    await server?.close();
    const outvoted = await court(0, () => 0);
    await outvoted.asOf.determine();
    await outvoted.asOf.confirm({ store: null, newestRun });
    expect(outvoted.server.asked).toHaveLength(1);
  });

  it('holds against a store alone, where STS and the local clock agree', async () => {
    const { asOf, clock, server } = await court(0, () => 0);
    await asOf.determine();
    const store = { who: 'the store', epochMs: clock.now() + day, at: clock.monotonic(), isAws: true };
    await asOf.confirm({ store, newestRun: null });
    expect(server.asked).toHaveLength(0);
    expect(off(clock.now())).toBe(0);
  });
});

describe('a page of another time', () => {
  it('moves the clock where the rest of AWS says the same: the machine has slept', async () => {
    let slept = 0;
    const { asOf, clock } = await court(0, () => slept);
    await asOf.determine();
    slept = 2 * 60 * minute;
    await asOf.recheck({ who: 'a page', epochMs: Date.now() + slept, at: clock.monotonic() });
    expect(off(clock.now())).toBe(120);
  });

  it('moves nothing where the rest of AWS says something else', async () => {
    const { asOf, clock } = await court(0, () => 0);
    await asOf.determine();
    await asOf.recheck({ who: 'a page', epochMs: Date.now() + 40 * day, at: clock.monotonic() });
    expect(off(clock.now())).toBe(0);
  });
});
