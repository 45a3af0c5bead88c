import yargs, { type ArgumentsCamelCase, type Argv, type CommandModule } from 'yargs';
import { endAtOnce } from '../src/command-line/end-at-once.ts';
import { openJobLog } from '../src/command-line/job-log.ts';
import { processInput } from '../src/command-line/process-input.ts';
import { stopSignals } from '../src/command-line/signals.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { yargsParserRules } from '../src/config/argument-syntax.ts';
import { optionsOf, ownOptionNames } from '../src/config/options.ts';
import { parseTelemetry } from '../src/config/settings.ts';
import { findQuestion, isName, questionIndex, questionRequest } from '../src/query/named-questions.ts';
import { parseQuerySettings, wantsList } from '../src/query/query-settings.ts';
import type { QueryRequest } from '../src/query/write-result.ts';
import { loadQuestions, parameterNames, type Question } from '../src/questions/questions.ts';
import { UsageError } from '../src/shared/errors.ts';
import { writeOut } from '../src/shared/standard-output.ts';
import { printable } from '../src/telemetry/printable.ts';
import { columnsOf } from '../src/telemetry/screen.ts';

/** `query`: runs SQL or a named question over the lake with the embedded engine. */
export const queryJob: CommandModule = {
  command: 'query [sql]',
  describe: 'Query the lake with SQL or a named question; without either, open a prompt',
  builder: (argv: Argv) =>
    argv
      .positional('sql', { type: 'string', describe: 'A SQL query, or the name of a question' })
      .options(parameterOptions())
      .group(parameterNames(), 'Parameters of questions:')
      .options(yargsOptions(optionsOf(ownOptionNames('query'))))
      .example('$0 query --list', 'list the named questions')
      .example('$0 query failed-copies --help', 'explain one question, its columns and parameters')
      .example('$0 query "SELECT state, count(*) FROM copy_jobs GROUP BY state" --lake ./lake', ''),
  handler: async (argv) => {
    const input = processInput(argv);
    const telemetry = parseTelemetry('query', input);
    if (wantsList(input)) {
      const named = typeof argv.sql === 'string' ? findQuestion(argv.sql) : null;
      await writeOut(process.stdout, await listed(named, telemetry.output === 'json' ? 'json' : 'text'));
      return;
    }
    const parsed = parseQuerySettings(input);
    const settings =
      parsed.format === null && telemetry.output === 'json' ? { ...parsed, format: 'json' as const } : parsed;
    const asked = askedIn(argv);
    const signals = stopSignals({
      from: process,
      onFirst: () => undefined,
      onSecond: () => endAtOnce(75),
    });
    const write = (text: string): void => void process.stderr.write(text);
    try {
      // Loads the engine only when it is needed.
      const { runQuery } = await import('../src/query/query.ts');
      await runQuery(settings, asked, {
        log: openJobLog(telemetry, settings, input.env, write).log,
        note: (line) => write(`backup-copy-export: ${printable(line)}\n`),
        signal: signals.stopping,
        today: new Date().toISOString().slice(0, 10),
        stdin: process.stdin,
        stdout: process.stdout,
        stderr: process.stderr,
        env: input.env,
      });
    } finally {
      signals.dispose();
    }
  },
};

/** The list of all questions, or the full text of one. */
async function listed(named: Question | null, output: 'text' | 'json'): Promise<string> {
  if (output === 'json') return `${JSON.stringify(named === null ? loadQuestions() : [named])}\n`;
  if (named === null) return questionIndex(process.stdout.isTTY ? columnsOf(process.stdout) : null);
  return await questionText(named);
}

async function questionText(question: Question): Promise<string> {
  // Loaded here because it needs the engine to list the columns.
  const { questionHelp } = await import('../src/query/question-help.ts');
  return await questionHelp(question, Math.min(columnsOf(process.stdout), 100));
}

/**
 * What `query NAME --help` prints: the full text of the question; null for any other command line.
 * @param words the command-line arguments
 * @throws UsageError for an unknown question
 */
export async function helpOfQuestion(words: readonly string[]): Promise<string | null> {
  if (words[0] !== 'query' || !words.some((word) => /^--help(=true)?$/.test(word))) return null;
  const { _: names } = yargs([...words])
    .help(false)
    .version(false)
    .parserConfiguration(yargsParserRules)
    .boolean('help')
    .parseSync();
  const name = names[1];
  return typeof name === 'string' && isName(name) ? await questionText(findQuestion(name)) : null;
}

/** Null opens the prompt. */
function askedIn(argv: ArgumentsCamelCase): QueryRequest | null {
  const { sql } = argv;
  const values = Object.fromEntries(
    parameterNames().flatMap((name) => (argv[name] === undefined ? [] : [[name, argv[name]]])),
  );
  if (typeof sql === 'string' && isName(sql)) return questionRequest(sql, values);
  const [parameter] = Object.keys(values);
  if (parameter !== undefined) {
    throw new UsageError(
      `--${parameter} is a parameter of a question, but no question was named`,
      'Name a question; query --list shows them.',
    );
  }
  return typeof sql === 'string' ? { sql, lookBack: null } : null;
}

function parameterOptions(): Record<string, { type: 'string'; describe: string }> {
  return Object.fromEntries(
    parameterNames().map((name) => [name, { type: 'string' as const, describe: 'See query NAME --help' }]),
  );
}
