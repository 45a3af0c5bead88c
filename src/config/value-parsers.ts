/**
 * How the text of one option becomes a value: accounts, regions, roles, endpoints, choices.
 * Every function takes what a person wrote and gives the typed value, or throws an InvalidValue.
 */

import { knownRegions } from '../aws/known-regions.ts';
import { closest } from './closest-word.ts';
import { eachItem, InvalidValue, type ParseWord } from './invalid-value.ts';
import { dayMs, duration, instant } from './quantity-parsers.ts';
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
      'Write auto, all, a day such as 2026-11-01 (UTC), an instant such as 2026-11-01T02:00:00Z, or a span before now such as 7d.',
    );
  }
}

export function failOn(word: string): FailOn {
  if (word === 'any' || word === 'all') return { kind: word };
  const percent = /^\d+(?:\.\d+)?%$/.test(word) ? Number(word.slice(0, -1)) : Number.NaN;
  if (!(percent >= 0 && percent <= 100)) {
    throw new InvalidValue(
      'is no share of targets',
      'Write any, all, or a percentage from 0% to 100%, such as 5%.',
    );
  }
  return { kind: 'share', share: percent / 100 };
}

/** Whether a switch is on. */
export function onOff(word: string): boolean {
  if (word !== 'true' && word !== 'false') {
    throw new InvalidValue('is neither true nor false', 'Write true or false.');
  }
  return word === 'true';
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): ParseWord<T> {
  return (word) => {
    const found = words.find((one) => one === word);
    if (found === undefined) throw new InvalidValue('is not known', `Write one of ${words.join(', ')}.`);
    return found;
  };
}

/** A word of a certain form, kept as it is. */
export function matching(form: RegExp, reason: string, advice: string): ParseWord<string> {
  return (word) => {
    if (!form.test(word)) throw new InvalidValue(reason, advice);
    return word;
  };
}

export const accountId = matching(
  /^\d{12}$/,
  'is not an account id',
  'Write the 12 digits of the account, leading zeros included, without spaces or dashes.',
);

const regionAdvice =
  "Write names such as us-east-1,eu-central-1, or the single word enabled for those enabled in the caller's account.";

/** As AWS builds them in every partition: us-east-1, us-gov-west-1, eusc-de-east-1. */
const regionForm = matching(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'is not a region name', regionAdvice);

/**
 * A region's name. New ones come every year, so that no list can refuse one; but all of them say where they lie by a
 * point of the compass (docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
 */
export function region(word: string, cwd: string): string {
  regionForm(word, cwd);
  if (/-(central|(north|south)?(east|west)|north|south)-\d+$/.test(word)) return word;
  const meant = closest(
    word,
    knownRegions.map(({ name }) => name),
  );
  throw new InvalidValue(
    'is an unknown region',
    meant === null ? regionAdvice : `Did you mean ${meant}? ${regionAdvice}`,
  );
}

/** Of these regions, those that this version does not know, each with the nearest that it knows. */
export function unknownRegions(
  words: readonly string[],
): readonly { name: string; nearest: string | null }[] {
  const known = knownRegions.map(({ name }) => name);
  // Other partitions are not in the list.
  const here = words.filter((word) => !known.includes(word) && !/^(cn|us-gov|us-iso|eu-iso|eusc)/.test(word));
  return here.map((name) => ({ name, nearest: closest(name, known) }));
}

/** Ids of units and roots: docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html, API_Root.html */
export const organizationalUnitId = matching(
  /^(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})$/,
  'is not the id of an organizational unit',
  'Write ids such as ou-ab12-cd34ef56 (or a root, r-ab12); names are not accepted.',
);

const roleNameForm = /^(?:[\x21-\x2e\x30-\x7e]+\/)*[\w+=,.@-]{1,64}$/;

/** A role's name, with its path if it has one, without a leading slash: what follows `:role/` in its ARN. */
export function roleName(word: string): string {
  const name = word.replace(/^\//, '');
  if (word.startsWith('arn:') || !roleNameForm.test(name) || name.length > 576) {
    throw new InvalidValue(
      'is not the name of a role',
      'Write its name, with its path if it has one, such as BackupCopyExportReader or audit/BackupCopyExportReader; no ARN, since the account differs from target to target.',
    );
  }
  return name;
}

export function roleArn(word: string): string {
  const [, name] = /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/(.+)$/.exec(word) ?? [];
  if (name === undefined || !roleNameForm.test(name)) {
    throw new InvalidValue(
      'is not the ARN of a role',
      'Write it as in IAM, such as arn:aws:iam::111122223333:role/Name.',
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
      'is not the URL of an endpoint',
      'Write http:// or https://, a host and, if needed, a port, such as http://127.0.0.1:9000; no credentials in it.',
    );
  }
  return word;
}

/** The accounts of `--accounts`: `self`, `all`, or ids. */
export function accounts(words: readonly string[]): AccountSelection {
  const [first] = words;
  if (words.length === 1 && (first === 'self' || first === 'all')) return { kind: first };
  if (words.includes('self') || words.includes('all')) {
    throw new InvalidValue(
      'mixes self or all with something else',
      'Write self, or all, or account ids alone.',
    );
  }
  return { kind: 'listed', accountIds: eachItem(words, accountId, '') };
}

/** The regions of `--regions`: `enabled`, or names. */
export function regions(words: readonly string[]): 'enabled' | readonly string[] {
  if (words.length === 1 && words[0] === 'enabled') return 'enabled';
  if (words.includes('enabled')) {
    throw new InvalidValue('mixes enabled with names', 'Write enabled, or region names, not both.');
  }
  return eachItem(words, region, '');
}
