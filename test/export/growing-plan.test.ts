import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(async () => {
  vi.unstubAllEnvs();
  await lab.close();
});

/** Stands before AWS Organizations: lets the first page of accounts through, and calls `onSecond` for the next ones. */
async function turnstile(endpoint: string, onSecond: (goOn: () => void, refuse: () => void) => void) {
  let pages = 0;
  const server = createServer((incoming, outgoing: ServerResponse) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => {
      pages += 1;
      const pass = () => {
        const { method, url, headers } = incoming;
        send(endpoint + (url ?? '/'), { method, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        }).end(Buffer.concat(chunks));
      };
      const refuse = () => {
        outgoing.writeHead(400, {
          'content-type': 'application/x-amz-json-1.1',
          date: new Date().toUTCString(),
        });
        outgoing.end(JSON.stringify({ __type: 'AccessDeniedException', message: 'no' }));
      };
      if (pages === 1) pass();
      else onSecond(pass, refuse);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Safe: a server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('AWS_ENDPOINT_URL_ORGANIZATIONS', `http://127.0.0.1:${port}`);
  return {
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Resolves when so many accounts have been read. */
async function accountsRead(count: number): Promise<void> {
  await vi.waitFor(
    () => {
      const { recent } = lab.simulator.requests();
      const read = recent.filter(({ api }) => api === 'ListCopyJobs').map(({ account }) => account);
      expect(new Set(read).size).toBeGreaterThanOrEqual(count);
    },
    { timeout: 30_000, interval: 20 },
  );
}

/** Parts, and records of runs. */
async function published(): Promise<readonly string[]> {
  return [...(await lab.parts()).keys(), ...(await lab.ledger('runs'))];
}

describe('a plan that grows', () => {
  it('has its first accounts read while the last are still being listed, and publishes nothing by then', async () => {
    lab = await openLab({ accounts: 22, regions: 1, days: 1, jobsPerDay: 2 });
    let before: readonly string[] = [];
    const gate = await turnstile(lab.simulator.endpoint, async (goOn) => {
      await accountsRead(10);
      before = await published();
      goOn();
    });
    try {
      const run = await lab.run({ 'publish-every': '1s' });
      expect(run.exit_code).toBe(0);
      expect(run.targets).toBe(22);
      expect(before).toEqual([]);
      expect(await lab.differences()).toEqual([]);
      const [begin = ''] = (await lab.ledger('runs')).filter((name) => name.endsWith('.begin.json'));
      const record: { plan: unknown[] } = JSON.parse(
        await readFile(join(lab.lake, '_ledger', 'runs', begin), 'utf8'),
      );
      expect(record.plan).toHaveLength(44);
      expect(Object.values(run.coverage).reduce((sum, count) => sum + count, 0)).toBe(44);
    } finally {
      gate.close();
    }
  });

  it('that cannot be completed ends the run as before: nothing is published, nothing looks like a success', async () => {
    lab = await openLab({ accounts: 22, regions: 1, days: 1, jobsPerDay: 2 });
    const gate = await turnstile(lab.simulator.endpoint, async (_, refuse) => {
      await accountsRead(10);
      refuse();
    });
    try {
      await expect(lab.run()).rejects.toMatchObject({
        exitCode: 77,
        message: expect.stringContaining('The accounts of the organization could not be listed'),
      });
      expect(await published()).toEqual([]);
    } finally {
      gate.close();
    }
    vi.unstubAllEnvs();
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  });
});
