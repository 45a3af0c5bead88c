import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/settings.ts';
import { analysis, data, deployment, ofType, principal, replaced, root, templates } from './deployed.ts';
import { ended, findings } from './peers.ts';
import { type JsonObject, listOf, objectOf, resources } from './templates.ts';

/** What CloudFormation takes with the request itself; more has to lie in a bucket. */
const inlineTemplateBytes = 51_200;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-quicksight-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the templates', () => {
  it('pass cfn-lint without a warning', async () => {
    const files = Object.values(templates).map((file) => join(root, file));
    const clean = await ended('cfn-lint', ['--include-checks', 'I', '--', ...files]);
    expect(clean).toEqual({ exitCode: 0, stdout: '', stderr: '' });

    const misspelt = join(folder, 'misspelt.yaml');
    await writeFile(misspelt, replaced(analysis, 'CategoryFilter:', 'CategoriesFilter:'));
    expect((await ended('cfn-lint', [misspelt])).exitCode).not.toBe(0);
  });

  it('are what QuickSight takes, by botocore’s model of its API', async () => {
    expect(await problems(data, analysis)).toBe('');
  });

  describe('are refused by it', () => {
    const broken = [
      ['an unknown name', 'ContentType: INTERACTIVE', 'ContentTypes: INTERACTIVE', 'ContentTypes'],
      ['an unknown value', 'BarsArrangement: STACKED_PERCENT', 'BarsArrangement: PERCENT', 'is none of'],
      ['what is missing', '- SheetId: flows\n            Name', '- Name', 'SheetId'],
      ['what is too wide', 'ColumnSpan: 36', 'ColumnSpan: 37', 'is above 36'],
      ['a wrong character', 'VisualId: by-category', 'VisualId: by category', 'is not of the form'],
      ['a wrong type', 'RelativeDateValue: 90', 'RelativeDateValue: ninety', 'Invalid type'],
      [
        'two of a union',
        '{ TextField: {',
        '{ List: { ParameterControlId: a, SourceParameterName: b }, TextField: {',
        'not 2 of them',
      ],
    ] as const;
    let complaints: readonly string[];
    beforeAll(async () => {
      complaints = await problemsOfEach(broken.map(([, from, to]) => [data, replaced(analysis, from, to)]));
    });

    it.each(broken.map(([what, , , complaint], at) => [what, at, complaint] as const))(
      'with %s',
      (_, at, complaint) => {
        expect(complaints[at]).toContain(complaint);
      },
    );
  });

  it('are plain ASCII: CloudFormation has question marks for the rest', () => {
    for (const text of [data, analysis]) expect(text.match(/[^\n\x20-\x7e]/g)).toBeNull();
  });

  it('fit into the requests that docs/quicksight.md makes', async () => {
    const docs = await readFile(join(root, 'docs/quicksight.md'), 'utf8');
    for (const [file, text] of [
      [templates.data, data],
      [templates.analysis, analysis],
    ] as const) {
      const command = docs.split('```').find((block) => block.includes(`--template-file ${file}`)) ?? '';
      const inBucket = command.includes('--s3-bucket');
      expect({ file, inBucket }).toEqual({ file, inBucket: Buffer.byteLength(text) > inlineTemplateBytes });
    }
  });

  it('refresh every dataset once a day, after the nightly run has ended', async () => {
    const schedules = ofType(resources(data, deployment), 'RefreshSchedule');
    const ids = ofType(resources(data, deployment), 'DataSet').map(({ properties }) => properties.DataSetId);
    expect(schedules.map(({ properties }) => properties.DataSetId)).toEqual(ids);
    const nightly = await readFile(join(root, 'deploy/ecs/schedule.yaml'), 'utf8');
    const [, minute, hour] = /Default: cron\((\d+) (\d+) \* \* \? \*\)/.exec(nightly) ?? [];
    const { deadlineMs } = defaultSettings();
    const endMinutes = Number(hour) * 60 + Number(minute) + deadlineMs / 60_000;
    for (const { properties } of schedules) {
      const frequency = objectOf(objectOf(properties.Schedule).ScheduleFrequency);
      const [at, past] = String(frequency.TimeOfTheDay).split(':').map(Number);
      expect(frequency).toMatchObject({ Interval: 'DAILY', TimeZone: 'UTC' });
      expect((at ?? 0) * 60 + (past ?? 0)).toBeGreaterThan(endMinutes);
    }
  });

  it('give everything to the one principal, nothing by wildcard, and only what IAM knows', async () => {
    const granted = new Set<string>();
    const all = [...resources(data, deployment), ...resources(analysis, deployment)];
    for (const { type, properties } of all) {
      if (!/DataSource$|DataSet$|Analysis$/.test(type)) continue;
      const permissions = listOf(properties.Permissions).map(objectOf);
      expect(permissions.map(({ Principal }) => [type, Principal])).toEqual([[type, principal]]);
      for (const action of permissions.flatMap(({ Actions }) => listOf(Actions))) granted.add(String(action));
    }
    expect([...granted].filter((action) => action.includes('*'))).toEqual([]);
    const statement = { Effect: 'Allow', Action: [...granted], Resource: '*' };
    const found = await findings({ Version: '2012-10-17', Statement: [statement] });
    // QuickSight grants it, IAM's lists do not have it:
    // https://docs.aws.amazon.com/quicksight/latest/APIReference/API_UpdateAnalysisPermissions.html
    expect(found.match(/Unknown action \S+:\S+/g)).toEqual(['Unknown action quicksight:QueryAnalysis']);
  });
});

/** The requests that CloudFormation's handlers make of the templates' resources, held against the model. */
async function problems(dataText: string, analysisText: string): Promise<string> {
  return (await problemsOfEach([[dataText, analysisText]])).join('');
}

/** The same of several pairs of templates, from one start of Python. */
async function problemsOfEach(pairs: readonly (readonly [string, string])[]): Promise<readonly string[]> {
  const requests = pairs.flatMap(([dataText, analysisText], at) => {
    const made = [...resources(dataText, deployment), ...resources(analysisText, deployment)].flatMap(
      ({ logicalId, type, properties }) => {
        const [, service, kind] = type.split('::');
        return service === 'QuickSight'
          ? [{ name: `${at} ${logicalId}`, operation: `Create${kind}`, input: asRequest(properties) }]
          : [];
      },
    );
    expect(made.length).toBeGreaterThan(10);
    return made;
  });
  const file = join(folder, 'requests.json');
  await writeFile(file, JSON.stringify(requests));
  const done = await ended('python', [join(import.meta.dirname, 'requests.py'), file]);
  expect({ exitCode: done.exitCode, stderr: done.stderr }).toEqual({ exitCode: 0, stderr: '' });
  const lines = done.stdout.split('\n');
  return pairs.map((_, at) => lines.filter((line) => line.startsWith(`${at} `)).join('\n'));
}

/** CloudFormation writes TimeZone where the API has Timezone. */
function asRequest(properties: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(properties).replaceAll('"TimeZone":', '"Timezone":'));
}

function defaultSettings() {
  const readFile = (): string => {
    throw new Error('there is no configuration file');
  };
  return parseSettings({ flags: { lake: '/lake' }, env: {}, cwd: '/', temporaryFolder: '/tmp', readFile });
}
