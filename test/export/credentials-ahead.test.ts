import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { CredentialsAhead } from '../../src/export/credentials-ahead.ts';

/** Accounts whose roles are assumed when the test says so. */
function accounts(count: number) {
  const asked: string[] = [];
  const answers = new Map<string, (refuse?: true) => void>();
  const all = Array.from({ length: count }, (_, i) => {
    const accountId = String(i + 1);
    const credentials = () => {
      asked.push(accountId);
      const { promise, resolve, reject } = Promise.withResolvers<{
        accessKeyId: string;
        secretAccessKey: string;
      }>();
      answers.set(accountId, (refuse) =>
        refuse === true
          ? reject(new Error('refused'))
          : resolve({ accessKeyId: accountId, secretAccessKey: 's' }),
      );
      return promise;
    };
    return { accountId, credentials };
  });
  return { all, asked, answer: (accountId: string, refuse?: true) => answers.get(accountId)?.(refuse) };
}

it('assumes as many roles at once as there are sockets for, each once, also when some are refused', async () => {
  const { all, asked, answer } = accounts(20);
  const ahead = new CredentialsAhead(new AbortController().signal, 8);
  ahead.add(all);
  ahead.add(all);
  expect(asked).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
  answer('3', true);
  answer('1');
  await turn();
  expect(asked.slice(8)).toEqual(['9', '10']);
});

it('asks at once for accounts whose drains begin, and is never far ahead of the drains', async () => {
  const { all, asked, answer } = accounts(200);
  const ahead = new CredentialsAhead(new AbortController().signal, 8);
  ahead.began('2');
  ahead.add(all);
  ahead.began('10');
  expect(asked).toEqual(['1', '3', '4', '5', '6', '7', '8', '9', '10']);
  for (let i = 1; i <= 200; i += 1) {
    answer(String(i));
    await turn();
  }
  // Its drain has asked for itself.
  expect(asked).not.toContain('2');
  expect(asked).toHaveLength(65);
  ahead.began('1');
  expect(asked).toHaveLength(66);
  expect(new Set(asked).size).toBe(66);
});

it('assumes no more roles when the run ends', async () => {
  const { all, asked, answer } = accounts(20);
  const stopping = new AbortController();
  const ahead = new CredentialsAhead(stopping.signal, 8);
  ahead.add(all);
  stopping.abort();
  answer('1');
  await turn();
  expect(asked).toHaveLength(8);
});

it('knows for which accounts STS has responded, with credentials or a refusal', async () => {
  const { all, answer } = accounts(3);
  const ahead = new CredentialsAhead(new AbortController().signal, 2);
  ahead.add(all);
  ahead.began('3');
  const answered = () => all.map(({ accountId }) => ahead.hasAnswered(accountId));
  expect(answered()).toEqual([false, false, false]);
  answer('1');
  answer('2', true);
  answer('3');
  await turn();
  expect(answered()).toEqual([true, true, true]);
});
