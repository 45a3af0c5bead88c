import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dangling, datasetsShown } from './analysis.ts';
import {
  analysis,
  columnsByDataset,
  data,
  definitionOf,
  deployment,
  ofType,
  replaced,
  root,
} from './deployed.ts';
import { listOf, objectOf, resources } from './templates.ts';

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
