import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, expect, it, vi } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(async () => {
  vi.restoreAllMocks();
  await lab.close();
});

it('a run whose lake cannot be opened lets go of its connections to AWS', async () => {
  lab = await openLab();
  const file = join(lab.folder, 'no-folder');
  await writeFile(file, '');
  const closed = vi.spyOn(NodeHttpHandler.prototype, 'destroy');
  await expect(lab.run({ lake: file })).rejects.toMatchObject({ exitCode: 74 });
  expect(closed).toHaveBeenCalledOnce();
});

it('accounts and regions are asked for while the lake is opened, and no more once it cannot be', async () => {
  lab = await openLab({}, 'some may not');
  await lab.run();
  const asked = () => lab.simulator.requests().recent.filter(({ api }) => api === 'ListAccounts').length;
  const earlier = asked();
  // Found in the opened lake, which is refused then.
  await symlink(lab.folder, join(lab.lake, 'copy_jobs', 'creation_date=2026-11-01'));
  lab.simulator.addFaults([{ kind: 'throttle', api: 'ListAccounts' }]);
  await expect(lab.run()).rejects.toMatchObject({ exitCode: 74 });
  const before = asked();
  expect(before).toBeGreaterThan(earlier);
  // Longer than the first delay of a retry.
  await delay(1_200);
  expect(asked()).toBe(before);
});

it('accounts and regions are asked for no more once STS has refused the caller', async () => {
  // The list is on its way before STS responds.
  lab = await openLab({ latencyMs: 100 });
  const asked = () => lab.simulator.requests().recent.filter(({ api }) => api === 'ListAccounts').length;
  lab.simulator.addFaults([
    { kind: 'deny', api: 'GetCallerIdentity' },
    { kind: 'throttle', api: 'ListAccounts' },
  ]);
  await expect(lab.run()).rejects.toMatchObject({ exitCode: 77 });
  const before = asked();
  expect(before).toBeGreaterThan(0);
  await delay(1_200);
  expect(asked()).toBe(before);
});

it('accounts are not asked for again while STS is', async () => {
  lab = await openLab({ latencyMs: 20 });
  lab.simulator.addFaults([
    { kind: 'server-error', api: 'GetCallerIdentity', count: 12 },
    { kind: 'server-error', api: 'ListAccounts', count: 7 },
  ]);
  expect((await lab.run()).exit_code).toBe(0);
  const { recent } = lab.simulator.requests();
  const identified = recent.findIndex(({ api, status }) => api === 'GetCallerIdentity' && status === 200);
  const listed = recent.flatMap(({ api }, at) => (api === 'ListAccounts' ? at : []));
  // What the SDK itself sends again belongs to the first attempt.
  expect(listed.filter((at) => at < identified).length).toBeLessThanOrEqual(5);
  expect(listed.filter((at) => at > identified).length).toBeGreaterThanOrEqual(3);
});

it('targets are read as a whole on different nights', async () => {
  lab = await openLab({ accounts: 12, regions: 2, days: 1, jobsPerDay: 1 });
  await lab.run();
  const wholeAfter = async (days: number) => {
    await lab.simulator.advance(days * 86_400_000);
    const { plan } = await lab.plan({ tables: 'copy_jobs', 'full-every': '10d' });
    return plan.filter(({ window_from: from }) => from === null).length;
  };
  expect(await wholeAfter(4.9)).toBe(0);
  const some = await wholeAfter(2.6);
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(24);
  expect(await wholeAfter(2.5)).toBe(24);
});
