import { readdir, stat } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

/** Stands between the export and AWS Backup, and counts the requests that are on their way at once. */
async function turnstile(endpoint: string) {
  let inside = 0;
  let most = 0;
  const server = createServer((incoming, outgoing) => {
    inside += 1;
    most = Math.max(most, inside);
    outgoing.once('close', () => {
      inside -= 1;
    });
    const { method, url, headers } = incoming;
    const onward = send(endpoint + (url ?? '/'), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Safe: a server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    most: () => most,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

it('asks AWS Backup for no more at once than --concurrency says', async () => {
  lab = await openLab({ accounts: 6, regions: 4, latencyMs: 60 });
  const gate = await turnstile(lab.simulator.endpoint);
  process.env.AWS_ENDPOINT_URL_BACKUP = gate.endpoint;
  try {
    expect((await lab.run({ concurrency: '3' })).exit_code).toBe(0);
    expect(gate.most()).toBe(3);
  } finally {
    gate.close();
  }
});

it('asks one account and region no more often than --requests-per-second says', async () => {
  lab = await openLab({ accounts: 1, regions: 1, jobsPerDay: 400, days: 25 });
  const run = await lab.run({ 'requests-per-second': '2', accounts: 'self' });
  expect(run.exit_code).toBe(0);
  const asked = lab.simulator.requests().recent.filter(({ api }) => api.startsWith('ListCopyJob')).length;
  expect(asked).toBeGreaterThan(8);
  expect(run.phases_ms.drain).toBeGreaterThan(((asked - 2) / 2 - 1) * 1000);
});

it('keeps within --scratch-limit by publishing in waves, and still ends at the truth', async () => {
  lab = await openLab({ accounts: 8, regions: 4, jobsPerDay: 60, days: 6 });
  const limit = 6_000_000;
  let most = 0;
  const watch = setInterval(() => {
    void sizeOf(join(lab.folder, 'scratch')).then((bytes) => {
      most = Math.max(most, bytes);
    });
  }, 20);
  try {
    const run = await lab.run({ 'scratch-limit': '6MB' });
    expect(run.exit_code).toBe(0);
    expect(run.tables.copy_jobs?.parts_written).toBeGreaterThan(7 * 2);
  } finally {
    clearInterval(watch);
  }
  expect(most).toBeGreaterThan(limit / 10);
  expect(most).toBeLessThan(limit);
  expect(await lab.differences()).toEqual([]);
});

it('publishes in waves when the time for it has come', async () => {
  lab = await openLab({ accounts: 5, regions: 4, latencyMs: 40 });
  const run = await lab.run({ 'publish-every': '100ms', concurrency: '2', since: 'all' });
  expect(run.exit_code).toBe(0);
  const days = new Set((await lab.table('copy_jobs')).map((row) => row.creation_date)).size;
  expect(run.tables.copy_jobs?.parts_written).toBeGreaterThan(days);
  expect(await lab.differences()).toEqual([]);
});

it('ends by --deadline: what was not begun is SKIPPED, what was not ended TIMED_OUT, and the next run heals it', async () => {
  lab = await openLab({ accounts: 4, regions: 2 });
  // Whoever comes here holds its slot until the end: however fast or slow the machine, the rest is not begun.
  lab.simulator.addFaults([{ kind: 'hang', api: 'ListCopyJobs', account: lab.member(1) }]);
  const run = await lab.run({ deadline: '6s', concurrency: '2' });
  expect(run.exit_code).toBe(75);
  expect(run.coverage.SKIPPED).toBeGreaterThan(0);
  const cut = run.failures.filter(({ account_id }) => account_id === lab.member(1));
  expect(cut.map(({ status }) => status)).toContain('TIMED_OUT');
  for (const { status, error, advice } of cut.filter((one) => one.status === 'TIMED_OUT')) {
    expect(`${status} ${error}`).toContain('TIMED_OUT DeadlineReached: the deadline of the run was reached');
    expect(advice).toContain('--deadline');
  }
  lab.simulator.clearFaults();
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
});

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries.map((entry) =>
    entry.isFile()
      ? stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        )
      : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
