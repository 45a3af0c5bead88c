import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AccountClient } from '@aws-sdk/client-account';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunSummary } from '../../src/telemetry/run-summary.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { type LakeRow, readTable } from '../support/lake-reader.ts';

let lab: Lab;
afterEach(() => lab.close());

const coverageOf = async (runId: string): Promise<LakeRow[]> =>
  (await readTable(lab.lake, 'export_coverage')).filter((row) => row.run_id === runId);

const statuses = (rows: readonly LakeRow[], of: (row: LakeRow) => boolean) => [
  ...new Set(rows.filter(of).map((row) => row.status)),
];

/** Whose own credentials the runs have. */
function caller(lab: Lab): string {
  return lab.simulator.organization.active[0]?.id ?? '';
}

describe('the coverage', () => {
  it('never says OK of rows that scratch had no room for: they are missing, and the next run reads them again', async () => {
    lab = await openLab({ accounts: 2, regions: 1 });
    // Nothing is read until the disk is as it has to be.
    lab.simulator.addFaults([{ kind: 'throttle' }]);
    const running = lab.run();
    // The disk is full for the first file of the first batch, and only for it.
    await lab.until(async () => (await lab.everyFile()).some((name) => name.endsWith('/staging')));
    const staging = (await lab.everyFile()).find((name) => name.endsWith('/staging'));
    const batch = join(lab.folder, String(staging), 'batch-1');
    await mkdir(batch);
    await symlink('/dev/full', join(batch, '0.csv'));
    lab.simulator.clearFaults();
    const run = await running;
    expect(run.exit_code).toBe(74);
    const rows = await coverageOf(run.run_id);
    const unpublished = rows.filter((row) => row.status === 'PUBLISH_FAILED');
    expect(unpublished.length).toBeGreaterThan(0);
    for (const row of unpublished) expect(row.error_message).toContain('ENOSPC');
    expect(await lab.differences()).not.toEqual([]);
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  });

  it('names a region that was switched off after it was read, with 77, and only once', async () => {
    lab = await openLab();
    const region = lab.regions.find((one) => one !== lab.simulator.env.AWS_REGION) ?? '';
    const off = { kind: 'disable-region', region } as const;
    const failed = ({ failures }: RunSummary) => failures.map((one) => `${one.region} ${one.status}`);
    // AWS lists the regions of the caller's own account only, where it would contradict itself.
    const members = { 'exclude-accounts': caller(lab) };
    expect((await lab.run(members)).exit_code).toBe(0);

    lab.simulator.addFaults([off]);
    const first = await lab.run(members);
    expect(first.exit_code).toBe(77);
    expect([...new Set(failed(first))]).toEqual([`${region} REGION_DISABLED`]);
    expect(first.failures[0]?.error).toContain('earlier runs read this region, through ');
    expect(first.failures[0]?.advice).toContain('If the region was disabled on purpose');

    const second = await lab.run(members);
    expect([second.exit_code, failed(second)]).toEqual([0, []]);
    expect(second.coverage.REGION_DISABLED).toBeGreaterThan(0);

    lab.simulator.clearFaults();
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
    lab.simulator.addFaults([off]);
    expect((await lab.run(members)).exit_code).toBe(77);
  });

  it('names a region that AWS no longer lists as enabled after it was read, with 77, and only once', async () => {
    lab = await openLab();
    const region = lab.regions.find((one) => one !== lab.simulator.env.AWS_REGION) ?? '';
    expect((await lab.run()).exit_code).toBe(0);

    lab.simulator.addFaults([{ kind: 'disable-region', region }]);
    const send = vi.spyOn(AccountClient.prototype, 'send').mockImplementation(async () => ({
      Regions: lab.regions
        .filter((one) => one !== region)
        .map((one) => ({ RegionName: one, RegionOptStatus: 'ENABLED' })),
    }));
    try {
      const first = await lab.run();
      expect(first.exit_code).toBe(77);
      expect([...new Set(first.failures.map((one) => `${one.region} ${one.status}`))]).toEqual([
        `${region} REGION_DISABLED`,
      ]);
      const second = await lab.run();
      expect([second.exit_code, second.failures]).toEqual([0, []]);
    } finally {
      send.mockRestore();
    }
  });

  describe('of a region whose host DNS does not find', () => {
    let hidden: string | null = null;
    beforeEach(() => {
      const original = NodeHttpHandler.prototype.handle;
      vi.spyOn(NodeHttpHandler.prototype, 'handle').mockImplementation(async function (
        this: NodeHttpHandler,
        request,
        options,
      ) {
        const [, region] = /\/([^/]+)\/backup\/aws4_request/.exec(request.headers.authorization ?? '') ?? [];
        if (region === undefined || region !== hidden) return original.call(this, request, options);
        const hostname = `backup.${region}.amazonaws.com`;
        throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND', hostname });
      });
    });
    afterEach(() => {
      vi.restoreAllMocks();
      hidden = null;
    });

    const statusesIn = async ({ run_id: runId }: RunSummary, region: string) =>
      statuses(await coverageOf(runId), (row) => row.region === region);

    it('says UNREACHABLE and not fine, whether it was read before, never was, or nobody knows', async () => {
      lab = await openLab();
      const region = lab.regions.find((one) => one !== lab.simulator.env.AWS_REGION) ?? '';
      hidden = region;
      const never = await lab.run();
      expect(never.exit_code).toBe(75);
      expect(await statusesIn(never, region)).toEqual(['UNREACHABLE']);
      expect(never.failures[0]?.advice).toContain('AWS_USE_FIPS_ENDPOINT');

      hidden = null;
      expect((await lab.run()).exit_code).toBe(0);
      hidden = region;
      const gone = await lab.run();
      expect(gone.exit_code).toBe(75);
      expect(await statusesIn(gone, region)).toEqual(['UNREACHABLE']);

      await rm(join(lab.lake, '_ledger', 'watermarks'), { recursive: true });
      const forgotten = await lab.run();
      expect(forgotten.exit_code).toBe(75);
      expect(await statusesIn(forgotten, region)).toEqual(['UNREACHABLE']);
    });

    it('never says REGION_DISABLED of the caller’s home region', async () => {
      lab = await openLab();
      const home = String(lab.simulator.env.AWS_REGION);
      expect(lab.regions).toContain(home);
      hidden = home;
      const run = await lab.run();
      expect(run.exit_code).toBe(75);
      expect(await statusesIn(run, home)).toEqual(['UNREACHABLE']);
    });
  });

  it('tolerates as many failed targets as --fail-on says', async () => {
    lab = await openLab({ accounts: 4, regions: 1 });
    const denied = lab.member(0);
    lab.simulator.addFaults([{ kind: 'deny', account: denied, api: 'ListCopyJobs' }]);
    expect((await lab.run({ 'fail-on': '25%' })).exit_code).toBe(0);
    expect((await lab.run({ 'fail-on': '24%' })).exit_code).toBe(77);
    expect((await lab.run({ 'fail-on': 'all' })).exit_code).toBe(0);
  });
});
