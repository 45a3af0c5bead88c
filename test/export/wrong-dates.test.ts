import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

const day = 86_400_000;

let lab: Lab;
beforeEach(async () => {
  // The simulator's clock is not this machine's: AWS's witnesses have to outvote it in every test here.
  lab = await openLab({ accounts: 2, regions: 1 });
});
afterEach(() => lab.close());

it('one wrong Date from STS costs nothing', async () => {
  lab.simulator.addFaults([{ kind: 'wrong-date', api: 'GetCallerIdentity', ms: 3 * day, count: 1 }]);
  const run = await lab.run();
  expect(run.exit_code).toBe(0);
  expect(Date.parse(run.as_of)).toBe(lab.simulator.now());
  expect(await lab.differences()).toEqual([]);
});

describe('witnesses that do not agree', () => {
  it('end the run with 75 before anything is drained, and blame nobody', async () => {
    await lab.run();
    const marks = await lab.ledger('watermarks');
    lab.simulator.addFaults([{ kind: 'wrong-date', api: '*', ms: 40 * day }]);
    await lab.simulator.advance(day);
    const error: unknown = await lab.run().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exitCode: 75 });
    expect(String(error)).toMatch(
      /AWS STS in .* says .*AWS Backup in .* says .*the clock of this machine says/,
    );
    expect(String(error)).not.toMatch(/credential|permission|allow/i);
    expect((await lab.ledger('runs')).filter((name) => name.endsWith('.begin.json'))).toHaveLength(1);
    expect(await lab.ledger('watermarks')).toEqual(marks);
    lab.simulator.clearFaults();
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differencesFromNow()).toEqual([]);
  });
});
