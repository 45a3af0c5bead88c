import { describe, expect, it } from 'vitest';
import { prepareArguments } from '../../src/config/argument-syntax.ts';
import { switchNames } from '../../src/config/options.ts';

describe('a switch', () => {
  const switches = new Set(['raw']);
  it.each([
    [
      ['--raw', 'select 1'],
      ['--raw=true', 'select 1'],
    ],
    [['--raw'], ['--raw=true']],
    [
      ['--raw', '--lake', 'x'],
      ['--raw=true', '--lake', 'x'],
    ],
    [
      ['--raw', 'false', 'select 1'],
      ['--raw', 'false', 'select 1'],
    ],
    [
      ['--raw=true', 'x'],
      ['--raw=true', 'x'],
    ],
    [
      ['--lake', 'raw'],
      ['--lake', 'raw'],
    ],
  ])('in %j', (words, seen) => {
    expect(prepareArguments(words, switches)).toEqual(seen);
  });

  it('is any option of any job that may stand alone', () => {
    expect([...switchNames].sort()).toEqual([
      'acknowledge',
      'allow-unsafe-store',
      'apply',
      'bucket-key-enabled',
      'dry-run',
      'history',
      'ignore-unfinished-runs',
      'list',
      'list-in-destination',
      'quick',
      'raw',
      'wide',
    ]);
  });
});

it('SQL that begins with a comment is no option', () => {
  expect(prepareArguments(['query', '-- all\nSELECT 1'], new Set())).toEqual(['query', ' -- all\nSELECT 1']);
});
