import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withQueries } from '../../../deploy/quicksight/write-queries.ts';
import { parseSettings } from '../../../src/settings.ts';
import { pythonPeers } from '../python.ts';
import { type Columns, dangling, datasetsShown } from './analysis.ts';
import { type EmptyLake, openEmptyLake } from './empty-lake.ts';
import { type Deployment, type JsonObject, listOf, objectOf, type Resource, resources } from './templates.ts';

const root = join(import.meta.dirname, '../../..');
const templates = { data: 'deploy/quicksight/data.yaml', analysis: 'deploy/quicksight/analysis.yaml' };
/** What CloudFormation takes with the request itself; more has to lie in a bucket. */
const inlineTemplateBytes = 51_200;

const database = 'copies';
const principal = 'arn:aws:quicksight:eu-west-1:111122223333:user/default/somebody';
const key = 'arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012';
const deployment: Deployment = {
  account: '111122223333',
  region: 'eu-west-1',
  parameters: {
    PrincipalArn: principal,
    LakeBucketArn: 'arn:aws:s3:::the-lake',
    LakeKmsKeyArn: key,
    Database: database,
    WorkGroup: 'the-workgroup',
    ResultsBucketArn: 'arn:aws:s3:::the-results',
    ResultsPrefix: 'athena/',
    ResultsKmsKeyArn: key,
  },
  attribute: (logicalId, attribute) =>
    attribute === 'Arn' ? `arn:aws:quicksight:eu-west-1:111122223333:made-up/${logicalId}` : undefined,
};

let python: string;
let folder: string;
let data: string;
let analysis: string;
let lake: EmptyLake;

beforeAll(async () => {
  python = await pythonPeers();
  folder = await mkdtemp(join(tmpdir(), 'bce-quicksight-'));
  data = await readFile(join(root, templates.data), 'utf8');
  analysis = await readFile(join(root, templates.analysis), 'utf8');
  lake = await openEmptyLake(database);
});

afterAll(async () => {
  lake?.close();
  await rm(folder, { recursive: true, force: true });
});

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

  it.each([
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
  ])('are refused by it with %s', async (_, from, to, complaint) => {
    expect(await problems(data, replaced(analysis, from, to))).toContain(complaint);
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

describe('the role of the data source', () => {
  const statements = (parameters: Readonly<Record<string, string>>): JsonObject[] => {
    const given = { ...deployment, parameters: { ...deployment.parameters, ...parameters } };
    const [role] = resources(data, given).filter(({ type }) => type === 'AWS::IAM::Role');
    return listOf(role?.properties.Policies)
      .map((policy) => objectOf(objectOf(policy).PolicyDocument))
      .flatMap((document) => listOf(document.Statement).map(objectOf));
  };

  it('holds a policy in which parliament finds nothing', async () => {
    const policy = { Version: '2012-10-17', Statement: statements({}) };
    expect(await findings(policy)).toBe('');
    const wrong = JSON.stringify(policy).replace('athena:GetWorkGroup', 'athena:GetWorkGroups');
    expect(await findings(JSON.parse(wrong))).toContain('Unknown action');
  });

  it('reads the tables and not the ledger, and writes nothing but results', () => {
    const own = statements({});
    const actions = own.flatMap(({ Action }) => [Action].flat().map(String));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    expect(own.filter(({ Resource }) => [Resource].flat().includes('*'))).toEqual([]);
    const writes = own.filter(({ Action }) =>
      [Action].flat().some((action) => /Put|Delete|Create/.test(String(action))),
    );
    expect(writes.map(({ Resource }) => Resource)).toEqual(['arn:aws:s3:::the-results/athena/*']);
    const reads = own.filter(({ Action }) => Action === 's3:GetObject');
    expect(reads.map(({ Resource }) => Resource)).toEqual([
      ['copy_jobs', 'copy_job_summaries', 'export_coverage'].map(
        (it) => `arn:aws:s3:::the-lake/lake/${it}/*`,
      ),
    ]);
  });

  it('has no key where there is none', () => {
    const text = JSON.stringify(statements({ LakeKmsKeyArn: '', ResultsKmsKeyArn: '' }));
    expect(text).not.toContain('kms:');
    expect(JSON.stringify(statements({}))).toContain('kms:');
  });
});

describe('the datasets', () => {
  it('ask the questions as they are now (else: node deploy/quicksight/write-queries.ts)', () => {
    expect(withQueries(data)).toBe(data);
    expect(withQueries(replaced(data, 'AS repair_hours', 'AS repair'))).toBe(data);
    expect(data.split('# question: ').length - 1).toBe(data.split('SqlQuery:').length - 1);
  });

  it('have exactly the columns that their query gives, or columns of their view, each with a fitting type', async () => {
    expect(await wrongColumns(data)).toEqual([]);
  });

  it.each([
    ['a column that is not there', 'Name: still_open, Type', 'Name: stil_open, Type', 'stil_open'],
    ['another type', 'Name: rpo_hours, Type: DECIMAL', 'Name: rpo_hours, Type: INTEGER', 'rpo_hours'],
    ['a column too few', '              - { Name: jobs_since, Type: INTEGER }\n', '', 'silent-rules'],
    ['a cast of what is no text', 'ColumnName: creation_date', 'ColumnName: jobs', 'jobs'],
  ])('are refused with %s', async (_, from, to, complaint) => {
    expect((await wrongColumns(replaced(data, from, to))).join('\n')).toContain(complaint);
  });
});

describe('the analysis', () => {
  it('names only columns, fields, visuals, filters, parameters and sheets that are there, of fitting types', () => {
    expect(dangling(definitionOf(analysis), columnsByDataset(data))).toEqual([]);
  });

  it.each([
    [
      'a column',
      'ColumnName: repair_hours',
      'ColumnName: repair_days',
      'failed-copies.repair_days is not there',
    ],
    ['a column of a calculation', 'sum({failed})', 'sum({failures})', 'daily-success.failures'],
    [
      'a type',
      'ColumnName: resource_type',
      'ColumnName: repaired_time',
      'no CategoricalDimensionField takes',
    ],
    [
      'a dataset',
      'Identifier: stuck-copies\n',
      'Identifier: stuck\n',
      'the dataset stuck-copies is not declared',
    ],
    [
      'a field to sort by',
      'FieldId: success-by-account.failed, Direction',
      'FieldId: failing, Direction',
      'sorts by failing',
    ],
    ['a visual', '[rpo-beyond, ', '[rpo-over, ', 'the visual rpo-over'],
    ['a place', 'ElementId: matrix-regions', 'ElementId: matrices', 'matrix-regions has no place'],
    ['a filter', 'SourceFilterId: success-period', 'SourceFilterId: a-period', 'the filter a-period'],
    ['a place of its own', 'ColumnIndex: 18', 'ColumnIndex: 17', 'two elements overlap'],
    [
      'a field id of its own',
      'FieldId: success-by-account.partly_done',
      'FieldId: success-by-account.completed',
      'used twice',
    ],
    ['a sheet', 'SheetId: failures, Scope', 'SheetId: failing, Scope', 'the sheet failing'],
    [
      'a control’s parameter',
      'SourceParameterName: RpoLimitHours',
      'SourceParameterName: RpoHours',
      'the parameter RpoHours',
    ],
    ['a parameter', 'Parameter: StuckLimitHours', 'Parameter: StuckHours', 'the parameter StuckHours'],
  ])('is refused without %s', (_, from, to, complaint) => {
    const wrong = definitionOf(replaced(analysis, from, to));
    expect(dangling(wrong, columnsByDataset(data)).join('\n')).toContain(complaint);
  });

  it('shows every dataset, those that data.yaml makes', () => {
    const declared = listOf(definitionOf(analysis).DataSetIdentifierDeclarations).map(objectOf);
    const arns = declared.map(({ DataSetArn }) => String(DataSetArn));
    expect(arns).toEqual(
      ofType(resources(data, deployment), 'DataSet').map(
        ({ properties }) => `arn:aws:quicksight:eu-west-1:111122223333:dataset/${properties.DataSetId}`,
      ),
    );
    expect([...datasetsShown(definitionOf(analysis))].sort()).toEqual(
      [...columnsByDataset(data).keys()].sort(),
    );
  });

  it('has a heading in docs/quicksight.md for every sheet, and a word on every limit', async () => {
    const docs = await readFile(join(root, 'docs/quicksight.md'), 'utf8');
    const headings = docs.split('\n').filter((line) => line.startsWith('### '));
    const sheets = listOf(definitionOf(analysis).Sheets).map((sheet) => `### ${objectOf(sheet).Name}`);
    expect(headings).toEqual(sheets);
    const limits = listOf(definitionOf(analysis).Sheets).flatMap((sheet) =>
      listOf(objectOf(sheet).ParameterControls ?? []).map(
        (control) => objectOf(Object.values(objectOf(control))[0]).Title,
      ),
    );
    expect(limits.filter((limit) => !docs.includes(`*${limit}*`))).toEqual([]);
  });
});

/** The requests that CloudFormation's handlers make of the templates' resources, held against the model. */
async function problems(dataText: string, analysisText: string): Promise<string> {
  const requests = [...resources(dataText, deployment), ...resources(analysisText, deployment)].flatMap(
    ({ logicalId, type, properties }) => {
      const [, service, kind] = type.split('::');
      return service === 'QuickSight'
        ? [{ name: logicalId, operation: `Create${kind}`, input: asRequest(properties) }]
        : [];
    },
  );
  expect(requests.length).toBeGreaterThan(10);
  const file = join(folder, 'requests.json');
  await writeFile(file, JSON.stringify(requests));
  const done = await ended('python', [join(import.meta.dirname, 'requests.py'), file]);
  expect({ exitCode: done.exitCode, stderr: done.stderr }).toEqual({ exitCode: 0, stderr: '' });
  return done.stdout;
}

/** CloudFormation writes TimeZone where the API has Timezone. */
function asRequest(properties: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(properties).replaceAll('"TimeZone":', '"Timezone":'));
}

async function findings(policy: unknown): Promise<string> {
  const done = await ended('parliament', [], JSON.stringify(policy));
  expect(done.stderr).toBe('');
  return done.stdout;
}

/** Columns of datasets that are not as their view or query has them; a line each. */
async function wrongColumns(text: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const { properties } of ofType(resources(text, deployment), 'DataSet')) {
    const { table, isView, columns, casts } = datasetOf(properties);
    const there = await lake.columnsOf(table);
    for (const [name, type] of columns) {
      if (there.get(name) !== type)
        wrong.push(`${properties.DataSetId}: ${name} is ${there.get(name)}, not ${type}`);
    }
    if (!isView && columns.size !== there.size)
      wrong.push(`${properties.DataSetId} lacks columns of its query`);
    for (const name of casts) {
      if (columns.get(name) !== 'STRING') wrong.push(`${properties.DataSetId}: ${name} cannot be cast`);
    }
  }
  return wrong;
}

interface DataSet {
  /** What DuckDB can describe. */
  readonly table: string;
  readonly isView: boolean;
  readonly columns: ReadonlyMap<string, string>;
  /** Columns of text that are days, and cast to times. */
  readonly casts: readonly string[];
}

function datasetOf(properties: JsonObject): DataSet {
  const [source] = Object.values(objectOf(properties.PhysicalTableMap)).map(objectOf);
  const { RelationalTable, CustomSql } = source ?? {};
  const { Schema, Name, SqlQuery, InputColumns, Columns } = objectOf(RelationalTable ?? CustomSql);
  const columns = listOf(InputColumns ?? Columns).map(objectOf);
  const transforms = Object.values(objectOf(properties.LogicalTableMap)).flatMap((table) =>
    listOf(objectOf(table).DataTransforms ?? []).map((transform) =>
      objectOf(objectOf(transform).CastColumnTypeOperation),
    ),
  );
  return {
    // QuickSight asks for columns of a custom query as of a subquery.
    table:
      RelationalTable === undefined
        ? `SELECT * FROM (${SqlQuery}) AS "custom"`
        : `SELECT * FROM "${Schema}"."${Name}"`,
    isView: RelationalTable !== undefined,
    columns: new Map(columns.map((column) => [String(column.Name), String(column.Type)])),
    casts: transforms.map(({ ColumnName }) => String(ColumnName)),
  };
}

/** By the identifiers that the analysis has for them: a dataset's id without its prefix. */
function columnsByDataset(text: string): ReadonlyMap<string, Columns> {
  return new Map(
    ofType(resources(text, deployment), 'DataSet').map(({ properties }) => {
      const { columns, casts } = datasetOf(properties);
      const seen = [...columns].map(
        ([name, type]) => [name, casts.includes(name) ? 'DATETIME' : type] as const,
      );
      return [String(properties.DataSetId).replace('backup-copy-', ''), new Map(seen)];
    }),
  );
}

function definitionOf(text: string): JsonObject {
  const [only] = ofType(resources(text, deployment), 'Analysis');
  return objectOf(only?.properties.Definition);
}

function ofType(all: readonly Resource[], kind: string): Resource[] {
  return all.filter(({ type }) => type === `AWS::QuickSight::${kind}`);
}

/** Fails where there is nothing to replace: the break would be none. */
function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`there is no ${from}`);
  return text.replace(from, to);
}

function defaultSettings() {
  const readFile = (): string => {
    throw new Error('there is no configuration file');
  };
  return parseSettings({ flags: { lake: '/lake' }, env: {}, cwd: '/', temporaryFolder: '/tmp', readFile });
}

function ended(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(join(python, program), args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const exitCode = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
      resolve({ exitCode, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
