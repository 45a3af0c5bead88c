import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { startRun } from '../../src/export/start-run.ts';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab | undefined;
afterEach(() => lab?.close());

it('has sent its first request long before the response comes', async () => {
  lab = await openLab({ latencyMs: 500 });
  const { asked, sent, stops } = startRun(lab.settings({}), lab.io(new AbortController().signal));
  try {
    const order: string[] = [];
    await Promise.all([
      sent.then(() => order.push('sent')),
      asked.identified.then(({ caller }) => order.push(caller.accountId)),
    ]);
    expect(order).toEqual(['sent', lab.simulator.organization.management.id]);
  } finally {
    stops.dispose();
    asked.aws.close();
  }
});

it('needs the client of no service but STS: the others are loaded meanwhile', async () => {
  const loaded = (file: string) =>
    promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { createRequire } from 'node:module';
       const file = ${JSON.stringify(new URL(`../../src/export/${file}`, import.meta.url).href)};
       await import(file);
       const names = Object.keys(createRequire(file).cache).map((path) =>
         /node_modules.(@aws-sdk.client-[a-z0-9]+)/.exec(path)?.[1]);
       console.log([...new Set(names)].filter((name) => name !== undefined).sort().join());`,
    ]);
  expect((await loaded('start-run.ts')).stdout.trim()).toBe('@aws-sdk/client-sts');
  expect((await loaded('export.ts')).stdout).toMatch(/client-backup.*client-sts/);
});
