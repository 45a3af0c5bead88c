import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
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
  lab = await openLab({ accounts: 6, regions: 4, days: 1, latencyMs: 60 });
  const gate = await turnstile(lab.simulator.endpoint);
  vi.stubEnv('AWS_ENDPOINT_URL_BACKUP', gate.endpoint);
  try {
    expect((await lab.run({ concurrency: '3' })).exit_code).toBe(0);
    expect(gate.most()).toBe(3);
  } finally {
    vi.unstubAllEnvs();
    gate.close();
  }
});

it('ends by --deadline: what was not begun is SKIPPED, what was not ended TIMED_OUT, and the next run heals it', async () => {
  lab = await openLab({ accounts: 4, regions: 2 });
  // Whoever comes here holds its slot until the end: however fast or slow the machine, the rest is not begun.
  lab.simulator.addFaults([{ kind: 'hang', api: 'ListCopyJobs', account: lab.member(1) }]);
  const run = await lab.run({ deadline: '10s', concurrency: '2' });
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

it('begins with what was not read the night before', async () => {
  lab = await openLab({ accounts: 3, regions: 2 });
  const [first, second] = [lab.region(0), lab.region(1)];
  expect((await lab.run({ regions: first })).exit_code).toBe(0);
  await lab.simulator.advance(86_400_000);
  const before = lab.simulator.requests().recent.length;
  expect((await lab.run({ concurrency: '1' })).exit_code).toBe(0);
  const asked = lab.simulator
    .requests()
    .recent.slice(before)
    .filter(({ api }) => api.startsWith('ListCopyJob'))
    .map(({ region }) => region);
  expect(asked.indexOf(first)).toBeGreaterThan(asked.lastIndexOf(second));
});
