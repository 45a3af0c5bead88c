/** Copy jobs as the JSON that AWS could send, however it is spelled. */
import fc from 'fast-check';
import type { ListedRecords } from '../../src/tables/listed-record.ts';
import { scanJobs } from '../../src/tables/scan-jobs.ts';

/** As a page lists them. */
export function listedJobs(records: readonly unknown[]): ListedRecords {
  const list = scanJobs(Buffer.from(JSON.stringify({ CopyJobs: records })));
  if (list === null) throw new TypeError('these records cannot be listed');
  return list.records;
}

/** The bytes of a response, in memory of their own. */
export function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

const space = fc.constantFrom('', '', '', '', ' ', '\n\t', '\r\n  ');

/** JSON of this text: as JSON.stringify writes it, or with every `step`th character escaped. */
const spelled = (text: string): fc.Arbitrary<string> =>
  fc.tuple(fc.boolean(), fc.integer({ min: 2, max: 9 })).map(([isUsual, step]) => {
    if (isUsual) return JSON.stringify(text);
    const units = Array.from({ length: text.length }, (_, at) => {
      const code = text.charCodeAt(at).toString(16).padStart(4, '0');
      if (at % step === 0) return `\\u${at % 2 === 0 ? code : code.toUpperCase()}`;
      return text[at] === '/' ? '\\/' : JSON.stringify(text[at]).slice(1, -1);
    });
    return `"${units.join('')}"`;
  });

const members = (
  all: readonly (readonly [name: string, value: string])[],
  gaps: readonly string[],
): string => {
  const gap = (at: number) => gaps[at % gaps.length] ?? '';
  const texts = all.map(
    ([name, value], at) => `${gap(at)}${name}${gap(at + 1)}:${gap(at + 2)}${value}${gap(at + 3)}`,
  );
  return `{${texts.join(',')}}`;
};

const strangeTexts = [
  '',
  'text',
  '"quoted" \\ \n \u0000 \u007f \u2028 / \b',
  '🔒 é 夜間',
  'arn:aws:ec2:us-east-1::snapshot/snap-1',
  'COMPLETED',
  'rate(12 hours)',
] as const;

/** Whatever JSON can say in the place of a value. */
const strangeValues = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-0.0',
  '1.0',
  '1.5',
  '1e3',
  '1E+3',
  '12.5e-1',
  '-0.001',
  '1795127436.4004',
  '1.795127436401E9',
  '1795127436401e-3',
  '1795127436.40149999999999999',
  '1795127436.4015000000000000000001',
  '1795226400',
  '1795226400.001',
  '-62135596800',
  '-62135596800.001',
  '253402300799.999',
  '253402300800',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993',
  '9007199254740991.0',
  '1.0000000000000000000000001',
  '900719925474099.1e1',
  '123456789012345678',
  '1e22',
  '1e23',
  '1e999',
  '5e-324',
  '1e-400',
  '0e999',
  '"half a pair \\ud83d"',
  '"\\udd12\\ud83d"',
  '"\\ud83d\\udd12"',
  '[]',
  '["a",{"b":[null]}]',
  '{}',
  '{"BackupPlanId":"plan","BackupRuleCron":"rate(12 hours)","BackupRuleTimezone":""}',
  '{"BackupPlanId":null,"Unknown":1}',
  '{"BackupPlanId":"a","BackupPlanId":"b"}',
  '{"DeleteAfterDays":-1,"DeleteAfterEvent":"DELETE_AFTER_COPY"}',
  '{"DeleteAfterDays":3.5}',
  '{"OptInToArchiveForSupportedResources":"yes"}',
  '{"COMPLETED":1,"9":2,"FAILED":null}',
  '{"COMPLETED":1,"COMPLETED":2}',
  '{"COMPLETED":1.5}',
  '{"COMPLETED":-0}',
  '{"half \\ud83d":1}',
  '{"COMPLETED":9007199254740993}',
] as const;

/** What is no JSON in the place of a value. */
const brokenValues = [
  ...[
    '01',
    '-',
    '+1',
    '1.',
    '.5',
    '1e',
    '1e+',
    '0x10',
    'NaN',
    'Infinity',
    'nul',
    'nulL',
    'True',
    'tru e',
    'undefined',
  ],
  ...[
    '"',
    '"a',
    '"a\n"',
    '"\\x41"',
    '"\\u12g4"',
    '"\\u123"',
    '"\t"',
    "'a'",
    '[1,]',
    '[1 2]',
    '{"a":1,}',
    '{a:1}',
    '{"a"}',
  ],
  ...[
    '[',
    '{',
    ']',
    '}',
    '',
    ' ',
    '1 2',
    '//',
    '\u00a0',
    '\ufeff1',
    '{"a" 1}',
    '{"a"::1}',
    '[,]',
    '{,}',
    '\u0000',
  ],
] as const;

/** The text of a record: a plain one with fields gone, moved, spelled otherwise, changed, added and repeated. */
function recordText(
  plain: Readonly<Record<string, unknown>>,
  otherNames: readonly string[],
  values: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const names = Object.keys(plain);
  const usual = fc.subarray(names, { minLength: names.length - 4 }).chain((kept) =>
    fc.tuple(
      ...kept.map((name) => {
        const value = plain[name];
        const valueText = typeof value === 'string' ? spelled(value) : fc.constant(JSON.stringify(value));
        return fc.tuple(fc.constant(JSON.stringify(name)), valueText);
      }),
    ),
  );
  const name = fc.constantFrom(...names, ...otherNames).chain(spelled);
  const usualName = fc.constantFrom(...names).map((one) => JSON.stringify(one));
  const changes = fc.array(
    fc.record({
      name: fc.oneof(usualName, usualName, name),
      value: values,
      replaces: fc.boolean(),
      at: fc.nat(40),
    }),
    { maxLength: 2 },
  );
  return fc
    .tuple(usual, changes, fc.array(space, { minLength: 1, maxLength: 5 }))
    .map(([all, changed, gaps]) => {
      const list: [string, string][] = [...all];
      for (const { name: added, value, replaces, at } of changed) {
        const old = replaces ? list.findIndex(([one]) => one === added) : -1;
        list.splice(old < 0 ? at % (list.length + 1) : old, old < 0 ? 0 : 1, [added, value]);
      }
      return members(list, gaps);
    });
}

const goodValues = fc.oneof(
  fc.constantFrom(...strangeValues),
  fc.constantFrom(...strangeTexts).chain(spelled),
  fc.json(),
);

const sometimes = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

/** The body of a page with a few records. Most are JSON, some nearly so. */
export function pageTexts(
  plain: Readonly<Record<string, unknown>>,
  otherNames: readonly string[],
): fc.Arbitrary<string> {
  const good = recordText(plain, otherNames, goodValues);
  const bad = recordText(plain, otherNames, fc.constantFrom(...brokenValues));
  const records = fc.oneof(
    { weight: 12, arbitrary: fc.array(good, { maxLength: 4 }) },
    { weight: 2, arbitrary: fc.array(fc.oneof(good, fc.constantFrom(...strangeValues)), { maxLength: 3 }) },
    { weight: 2, arbitrary: fc.tuple(good, bad).map((both) => both as string[]) },
  );
  const list = fc.tuple(records, space).map(([all, gap]) => `[${gap}${all.join(`${gap},${gap}`)}${gap}]`);
  const token = fc.constantFrom(
    '"next"',
    '"next"',
    '"n\\u0065xt"',
    '""',
    'null',
    '7',
    '{}',
    '"half \\ud83d"',
  );
  const pageMembers = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(list).map(([one]) => [['"CopyJobs"', one]] as const) },
    {
      weight: 4,
      arbitrary: fc.tuple(list, token).map(
        ([one, next]) =>
          [
            ['"CopyJobs"', one],
            ['"NextToken"', next],
          ] as const,
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(list, token).map(
        ([one, next]) =>
          [
            ['"NextToken"', next],
            ['"CopyJobs"', one],
          ] as const,
      ),
    },
    {
      weight: 2,
      arbitrary: fc.array(
        fc.tuple(
          fc.constantFrom('"CopyJobs"', '"NextToken"', '"Copy\\u004aobs"', '"__proto__"', '"More"'),
          fc.oneof(list, token, fc.constantFrom(...strangeValues)),
        ),
        { maxLength: 4 },
      ),
    },
  );
  return fc
    .record({
      all: pageMembers,
      gaps: fc.array(space, { minLength: 1, maxLength: 3 }),
      around: fc.tuple(space, space),
      damage: sometimes(
        fc.record({
          at: fc.nat(),
          drops: fc.nat(2),
          puts: fc.constantFrom('', ',', '"', '}', ']', '\\', 'x', '\u00a0'),
        }),
      ),
      cutAt: sometimes(fc.nat()),
    })
    .map(({ all, gaps, around: [before, after], damage, cutAt }) => {
      let text = before + members(all, gaps) + after;
      if (damage !== null) {
        const at = damage.at % (text.length + 1);
        text = text.slice(0, at) + damage.puts + text.slice(at + damage.drops);
      }
      return cutAt === null ? text : text.slice(0, cutAt % (text.length + 1));
    });
}
