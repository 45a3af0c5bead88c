/**
 * A process that runs command lines one after the other, as src/cli.ts runs one: whoever forked it sends the arguments and
 * the environment, and receives the exit code and what was written. See command-lines.ts.
 */
import { runCommandLine } from '../../src/command-line/command-line.ts';
import { allJobs } from '../../src/config/option.ts';
import type { CommandLineEnd, GivenCommandLine } from './command-lines.ts';

class Exit extends Error {}

/** The events that a command line listens to until its process ends. */
const untilTheEnd = ['uncaughtException', 'unhandledRejection', 'exit'] as const;

async function jobOf(name: string) {
  return (await import(`../../jobs/${name}.ts`))[`${name}Job`];
}

async function ended({ args, env }: GivenCommandLine): Promise<CommandLineEnd> {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.exitCode = undefined;
  const written = { stdout: '', stderr: '' };
  const restored = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const { write } = stream;
    // Safe: the program gives text, and what to call when it is written.
    stream.write = ((text: string, ...more: unknown[]) => {
      written[name] += text;
      const done = more.at(-1);
      if (typeof done === 'function') process.nextTick(() => done());
      return true;
    }) as typeof write;
    return () => {
      stream.write = write;
      stream.removeAllListeners('error');
    };
  });
  try {
    const named = allJobs.filter((name) => name === args[0]);
    const jobs = await Promise.all((named.length > 0 ? named : allJobs).map(jobOf));
    const helpOfQuestion = async (words: readonly string[]) =>
      words[0] === 'query' ? (await import('../../jobs/query.ts')).helpOfQuestion(words) : null;
    await runCommandLine(args, { jobs, helpOfQuestion });
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
  } finally {
    for (const restore of restored) restore();
    for (const event of untilTheEnd) process.removeAllListeners(event);
  }
  return { code: Number(process.exitCode ?? 0), ...written };
}

process.exit = () => {
  throw new Exit();
};

process.on('message', (given: GivenCommandLine) => {
  void ended(given).then((end) => {
    process.exitCode = undefined;
    process.send?.(end);
  });
});
