import { afterEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it('reads the counts of an account that is known while STS is slow to give the role of the next one', async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 1 });
  lab.simulator.addFaults([{ kind: 'slow', api: 'AssumeRole', ms: 3_000 }]);
  const { exit_code: code } = await lab.run({ concurrency: '1' });
  expect(code).toBe(0);
  const pages = lab.simulator
    .requests()
    .recent.filter(({ api }) => api.startsWith('ListCopyJob'))
    .map(({ api, account }) => `${api} of ${account === lab.member(0) ? 'the member' : 'the caller'}`);
  expect(pages).toEqual([
    'ListCopyJobs of the caller',
    'ListCopyJobSummaries of the caller',
    'ListCopyJobs of the member',
    'ListCopyJobSummaries of the member',
  ]);
  expect(await lab.differences()).toEqual([]);
});
