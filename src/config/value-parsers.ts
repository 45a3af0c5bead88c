/**
 * Parses accounts, regions, roles, endpoints and choices. Every function takes the text that a person typed and
 * returns the value, or throws an InvalidValue.
 */

import { knownRegions } from '../aws/known-regions.ts';
import { dayMs } from '../shared/time.ts';
import { closestName } from './closest-name.ts';
import { eachItem, InvalidValue, type ParseText } from './invalid-value.ts';
import { duration, instant } from './quantity-parsers.ts';
import type { AccountSelection, FailOn, Since } from './typed-values.ts';

export function since(word: string): Since {
  if (word === 'auto' || word === 'all') return { kind: word };
  const looksLikeDate = /^\d{4}-/.test(word);
  try {
    return looksLikeDate
      ? { kind: 'instant', epochMs: instant(word) }
      : { kind: 'ago', ms: duration(3650 * dayMs)(word, '') };
  } catch (error) {
    if (!(error instanceof InvalidValue) || looksLikeDate) throw error;
    throw new InvalidValue(
      'is neither a date nor a duration',
      'Write auto, all, a day such as 2026-11-01 (UTC), a time such as 2026-11-01T02:00:00Z, or a span before the run such as 7d.',
    );
  }
}

/** A point in time, or a span before now. */
export function momentOrSpan(word: string): { readonly epochMs: number } | { readonly agoMs: number } {
  try {
    return /^\d{4}-/.test(word) ? { epochMs: instant(word) } : { agoMs: duration(3650 * dayMs)(word, '') };
  } catch (error) {
    if (!(error instanceof InvalidValue) || /^\d{4}-/.test(word)) throw error;
    throw new InvalidValue(
      'is neither a date nor a duration',
      'Write a day such as 2026-11-01 (UTC), a time such as 2026-11-01T02:00:00Z, or a span before now such as 7d.',
    );
  }
}

export function failOn(word: string): FailOn {
  if (word === 'any' || word === 'all') return { kind: word };
  const share = shareOf(word);
  if (share === null) {
    throw new InvalidValue(
      'is not a share of targets',
      'Write any, all, or a percentage from 0% to 100%, such as 5%.',
    );
  }
  return { kind: 'share', share };
}

/** A percentage as a share, 0 to 1. */
export function percentage(word: string): number {
  const share = shareOf(word);
  if (share === null) {
    throw new InvalidValue('is not a percentage', 'Write a percentage from 0% to 100%, such as 2%.');
  }
  return share;
}

function shareOf(word: string): number | null {
  const percent = /^\d+(?:\.\d+)?%$/.test(word) ? Number(word.slice(0, -1)) : Number.NaN;
  return percent >= 0 && percent <= 100 ? percent / 100 : null;
}

/** Whether a switch is on. */
export function onOff(word: string): boolean {
  if (word !== 'true' && word !== 'false') {
    throw new InvalidValue('is neither true nor false', 'Write true or false.');
  }
  return word === 'true';
}

/** One of a fixed set of values. */
export function oneOf<const T extends string>(choices: readonly T[]): ParseText<T> {
  return (word) => {
    const found = choices.find((one) => one === word);
    if (found === undefined)
      throw new InvalidValue('is not a valid choice', `Use one of ${choices.join(', ')}.`);
    return found;
  };
}

/** Text that matches a pattern, returned unchanged. */
export function matching(form: RegExp, reason: string, advice: string): ParseText<string> {
  return (word) => {
    if (!form.test(word)) throw new InvalidValue(reason, advice);
    return word;
  };
}

export const accountId = matching(
  /^\d{12}$/,
  'is not an account id',
  'Write all 12 digits, including leading zeros, without spaces or dashes.',
);

const regionAdvice =
  'Write region names such as us-east-1,eu-central-1, or the word enabled for every region that is enabled in the caller’s account.';

/** The pattern of region names in every AWS partition: us-east-1, us-gov-west-1, eusc-de-east-1. */
const regionForm = matching(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'is not a region name', regionAdvice);

/**
 * A region name. AWS adds regions every year, so an unknown name is not rejected; but every name contains a compass
 * direction (docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
 */
function region(word: string, cwd: string): string {
  regionForm(word, cwd);
  if (/-(central|(north|south)?(east|west)|north|south)-\d+$/.test(word)) return word;
  const meant = closestName(
    word,
    knownRegions.map(({ name }) => name),
  );
  throw new InvalidValue(
    'is an unknown region',
    meant === null ? regionAdvice : `Did you mean ${meant}? ${regionAdvice}`,
  );
}

/** The regions that this version does not know, each with the closest known name. */
export function unknownRegions(
  texts: readonly string[],
): readonly { name: string; nearest: string | null }[] {
  const known = knownRegions.map(({ name }) => name);
  // The list of known regions covers the aws partition only.
  const here = texts.filter((word) => !known.includes(word) && !/^(cn|us-gov|us-iso|eu-iso|eusc)/.test(word));
  return here.map((name) => ({ name, nearest: closestName(name, known) }));
}

/** Ids of units and roots: docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html, API_Root.html */
export const organizationalUnitId = matching(
  /^(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})$/,
  'is not an organizational unit id',
  'Write ids such as ou-ab12-cd34ef56 (or a root, r-ab12); names are not accepted.',
);

const roleNameForm = /^(?:[\x21-\x2e\x30-\x7e]+\/)*[\w+=,.@-]{1,64}$/;

/** A role name with its path, if any, and no leading slash: what follows `:role/` in the ARN. */
export function roleName(word: string): string {
  const name = word.replace(/^\//, '');
  if (word.startsWith('arn:') || !roleNameForm.test(name) || name.length > 576) {
    throw new InvalidValue(
      'is not a role name',
      'Write the name with its path, if it has one: BackupCopyExportReader or audit/BackupCopyExportReader. Do not write an ARN: each target has its own account.',
    );
  }
  return name;
}

export function roleArn(word: string): string {
  const [, name] = /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/(.+)$/.exec(word) ?? [];
  if (name === undefined || !roleNameForm.test(name)) {
    throw new InvalidValue(
      'is not a role ARN',
      'Write it as IAM shows it, such as arn:aws:iam::111122223333:role/Name.',
    );
  }
  return word;
}

/** An http or https URL without credentials, query or fragment. */
export function endpointUrl(word: string): string {
  const url = URL.canParse(word) ? new URL(word) : null;
  const plain = url && ['http:', 'https:'].includes(url.protocol) && !url.search && !url.hash;
  if (!plain || url.username || url.password) {
    throw new InvalidValue(
      'is not an endpoint URL',
      'Write http:// or https://, a host and, if needed, a port, without credentials, such as http://127.0.0.1:9000.',
    );
  }
  return word;
}

/** The accounts of `--accounts`: `self`, `all`, or ids. */
export function accounts(texts: readonly string[]): AccountSelection {
  const [first] = texts;
  if (texts.length === 1 && (first === 'self' || first === 'all')) return { kind: first };
  if (texts.includes('self') || texts.includes('all')) {
    throw new InvalidValue(
      'combines self or all with other values',
      'Write only self, only all, or only account ids.',
    );
  }
  return { kind: 'listed', accountIds: eachItem(texts, accountId, '') };
}

/** The regions of `--regions`: `enabled`, or names. */
export function regions(texts: readonly string[]): 'enabled' | readonly string[] {
  if (texts.length === 1 && texts[0] === 'enabled') return 'enabled';
  if (texts.includes('enabled')) {
    throw new InvalidValue('combines enabled with region names', 'Write either enabled or region names.');
  }
  return eachItem(texts, region, '');
}
