/** What an analysis refers to, and whether it is there. */
import { type Json, type JsonObject, listOf, objectOf } from './templates.ts';

/** The type of every column that an analysis sees of a dataset, after the dataset's own casts. */
export type Columns = ReadonlyMap<string, string>;

interface Reference {
  /** The property that holds it, such as DateDimensionField. */
  readonly holder: string;
  readonly dataset: string;
  readonly column: string;
}

/** Everything in the definition that names what is not there, or is not of a fitting type; a line each. */
export function dangling(definition: JsonObject, datasets: ReadonlyMap<string, Columns>): string[] {
  return [
    ...columnProblems(definition, datasets),
    ...sheetProblems(definition),
    ...filterProblems(definition),
  ];
}

/** The datasets that the visuals show. */
export function datasetsShown(definition: JsonObject): ReadonlySet<string> {
  return new Set(references(definition.Sheets ?? [], '').map(({ dataset }) => dataset));
}

/** QuickSight's field wells take a column of these types only; a calculated field is a number here. */
const fitting: Readonly<Record<string, readonly string[]>> = {
  DateDimensionField: ['DATETIME'],
  CategoricalDimensionField: ['STRING'],
  NumericalDimensionField: ['INTEGER', 'DECIMAL'],
  NumericalMeasureField: ['INTEGER', 'DECIMAL'],
  CategoricalMeasureField: ['STRING'],
  DateMeasureField: ['DATETIME'],
  NumericRangeFilter: ['INTEGER', 'DECIMAL'],
  RelativeDatesFilter: ['DATETIME'],
  CategoryFilter: ['STRING'],
};

function columnProblems(definition: JsonObject, datasets: ReadonlyMap<string, Columns>): string[] {
  const declared = objects(definition.DataSetIdentifierDeclarations).map(({ Identifier }) =>
    String(Identifier),
  );
  const calculated = objects(definition.CalculatedFields);
  const problems = declared
    .filter((name) => !datasets.has(name))
    .map((name) => `there is no dataset ${name}`);
  const known = new Map([...datasets].map(([name, columns]) => [name, new Map(columns)]));
  for (const { DataSetIdentifier, Name, Expression } of calculated) {
    for (const [, column = ''] of String(Expression).matchAll(/\{([^}]+)\}/g)) {
      if (!datasets.get(String(DataSetIdentifier))?.has(column)) {
        problems.push(
          `the calculated field ${Name} reads ${DataSetIdentifier}.${column}, which is not there`,
        );
      }
    }
  }
  for (const { DataSetIdentifier, Name } of calculated) {
    known.get(String(DataSetIdentifier))?.set(String(Name), 'DECIMAL');
  }
  for (const { holder, dataset, column } of references(definition, '')) {
    const type = known.get(dataset)?.get(column);
    const types = fitting[holder];
    if (!declared.includes(dataset)) problems.push(`the dataset ${dataset} is not declared`);
    else if (type === undefined) problems.push(`${dataset}.${column} is not there`);
    else if (types !== undefined && !types.includes(type)) {
      problems.push(`${dataset}.${column} is a ${type}, which no ${holder} takes`);
    }
  }
  return problems;
}

/** Field ids, element ids and controls of each sheet. */
function sheetProblems(definition: JsonObject): string[] {
  const filters = new Set(objects(definition.FilterGroups).flatMap(filtersOf).map(idOfFilter));
  const parameters = new Set(parametersOf(definition));
  return objects(definition.Sheets).flatMap((sheet) => {
    const visuals = visualsOf(sheet);
    const filterControls = objects(sheet.FilterControls).map(inner);
    const parameterControls = objects(sheet.ParameterControls).map(inner);
    const controls = [
      ...filterControls.map(({ FilterControlId }) => String(FilterControlId)),
      ...parameterControls.map(({ ParameterControlId }) => String(ParameterControlId)),
    ];
    return [
      ...visuals.flatMap((visual) => {
        const fields = valuesOf(visual, 'FieldId').filter(({ holder }) => holder !== 'FieldSort');
        const ids = new Set(fields.map(({ value }) => value));
        const twice = fields.length === ids.size ? [] : [`${visual.VisualId}: a field id is used twice`];
        const missing = valuesOf(visual, 'FieldId').filter(({ value }) => !ids.has(value));
        return [
          ...twice,
          ...missing.map(({ value }) => `${visual.VisualId} sorts by ${value}, no field of it`),
        ];
      }),
      ...filterControls
        .filter(({ SourceFilterId }) => !filters.has(String(SourceFilterId)))
        .map(({ SourceFilterId }) => `a control is for the filter ${SourceFilterId}, which is not there`),
      ...parameterControls
        .filter(({ SourceParameterName }) => !parameters.has(String(SourceParameterName)))
        .map(
          ({ SourceParameterName }) =>
            `a control is for the parameter ${SourceParameterName}, which is not there`,
        ),
      ...layoutProblems(
        sheet.Layouts,
        visuals.map(({ VisualId }) => String(VisualId)),
        String(sheet.SheetId),
      ),
      ...layoutProblems(sheet.SheetControlLayouts, controls, `${sheet.SheetId}, controls`),
    ];
  });
}

/** Everything has a place, and no two the same. */
function layoutProblems(layouts: Json | undefined, ids: readonly string[], where: string): string[] {
  const elements = objects(layouts).flatMap((layout) =>
    objects(objectOf(objectOf(layout.Configuration).GridLayout).Elements),
  );
  const placed = elements.map(({ ElementId }) => String(ElementId));
  const cells = elements.flatMap(({ ColumnIndex, ColumnSpan, RowIndex, RowSpan }) =>
    Array.from({ length: Number(ColumnSpan) * Number(RowSpan) }, (_, index) => {
      const column = Number(ColumnIndex) + (index % Number(ColumnSpan));
      return `${column}/${Number(RowIndex) + Math.floor(index / Number(ColumnSpan))}`;
    }),
  );
  return [
    ...ids.filter((id) => !placed.includes(id)).map((id) => `${where}: ${id} has no place`),
    ...placed
      .filter((id) => !ids.includes(id))
      .map((id) => `${where}: a place is kept for ${id}, which is not there`),
    ...(new Set(cells).size === cells.length ? [] : [`${where}: two elements overlap`]),
  ];
}

/** Where filters apply, and the parameters they ask. */
function filterProblems(definition: JsonObject): string[] {
  const sheets = new Map(
    objects(definition.Sheets).map((sheet) => [
      String(sheet.SheetId),
      visualsOf(sheet).map(({ VisualId }) => String(VisualId)),
    ]),
  );
  const parameters = new Set(parametersOf(definition));
  return objects(definition.FilterGroups).flatMap((group) => [
    ...valuesOf(group, 'SheetId')
      .filter(({ value }) => !sheets.has(value))
      .map(({ value }) => `${group.FilterGroupId} is for the sheet ${value}, which is not there`),
    ...objects(
      objectOf(objectOf(group.ScopeConfiguration).SelectedSheets ?? {}).SheetVisualScopingConfigurations,
    ).flatMap(({ SheetId, VisualIds }) =>
      listOf(VisualIds ?? [])
        .filter((id) => !sheets.get(String(SheetId))?.includes(String(id)))
        .map((id) => `${group.FilterGroupId} is for the visual ${id}, which is not on the sheet ${SheetId}`),
    ),
    ...valuesOf(group, 'Parameter')
      .filter(({ value }) => !parameters.has(value))
      .map(({ value }) => `${group.FilterGroupId} asks the parameter ${value}, which is not there`),
  ]);
}

function references(value: Json, holder: string): Reference[] {
  if (Array.isArray(value)) return value.flatMap((item) => references(item, holder));
  if (typeof value !== 'object' || value === null) return [];
  const { DataSetIdentifier, ColumnName } = objectOf(value);
  if (ColumnName !== undefined) {
    return [{ holder, dataset: String(DataSetIdentifier), column: String(ColumnName) }];
  }
  return Object.entries(value).flatMap(([name, part]) => references(part, name === 'Column' ? holder : name));
}

/** All texts under the name, however deep. */
function valuesOf(
  value: Json,
  name: string,
  holder = '',
): { readonly holder: string; readonly value: string }[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesOf(item, name, holder));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    key === name && typeof part === 'string' ? [{ holder, value: part }] : valuesOf(part, name, key),
  );
}

function visualsOf(sheet: JsonObject): JsonObject[] {
  return objects(sheet.Visuals).map(inner);
}

function filtersOf(group: JsonObject): JsonObject[] {
  return objects(group.Filters).map(inner);
}

function idOfFilter({ FilterId }: JsonObject): string {
  return String(FilterId);
}

function parametersOf(definition: JsonObject): string[] {
  return objects(definition.ParameterDeclarations).map((declaration) => String(inner(declaration).Name));
}

/** The one member of a union. */
function inner(union: JsonObject): JsonObject {
  return objectOf(Object.values(union)[0]);
}

function objects(list: Json | undefined): JsonObject[] {
  return listOf(list ?? []).map(objectOf);
}
