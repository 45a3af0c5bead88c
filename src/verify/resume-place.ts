/** The file in which a look that ran out of time leaves its place and its findings for the next one. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { ReportedError, UsageError } from '../shared/errors.ts';
import { type Finding, findingKinds } from './finding.ts';
import type { Counts } from './look.ts';
import type { Scope } from './scope.ts';

/** What a look is about. A place of another look does not count. */
export interface LookIdentity extends Scope {
  readonly lake: string;
  readonly quick: boolean;
  /** Whether the scope moves with the clock: `--since 7d`, `--subset today/30`. */
  readonly isMoving: boolean;
}

export interface Place {
  /** The last object that was read. */
  readonly after: string;
  /** When the first look of this round began, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly counts: Counts;
  readonly findings: readonly Finding[];
}

/** The file could not be read or written. */
class ResumeFileError extends ReportedError {
  readonly exitCode = 74;
}

/**
 * Null: there is no file yet, the round that it tells of is over, or its scope has moved on since.
 * @throws UsageError when it is about another look; ResumeFileError when it cannot be read
 */
export async function readPlace(file: string, look: LookIdentity): Promise<Place | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw failed('read', file, error);
  }
  const stored = parsed(text);
  if (stored === null) {
    throw new UsageError(
      `${file} is not a file of verify`,
      'Name another --resume-file, or remove this one.',
    );
  }
  const asked = nameOf(look);
  if (stored.name !== asked) {
    if (look.isMoving && stored.isMoving && stored.lake === look.lake) return null;
    throw new UsageError(
      `${file} belongs to a look at another lake, or with another --since, --subset or --quick`,
      'Use a --resume-file of its own for each of them.',
    );
  }
  return stored.place;
}

/** @param place null: the round is over @throws ResumeFileError */
export async function writePlace(file: string, look: LookIdentity, place: Place | null): Promise<void> {
  const { lake, isMoving } = look;
  const stored = { format: 1, name: nameOf(look), lake, isMoving, place };
  const text = `${JSON.stringify(stored, null, 1)}\n`;
  try {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  } catch (error) {
    throw failed('written', file, error);
  }
}

function nameOf({ lake, since, subset, quick }: LookIdentity): string {
  return JSON.stringify({ lake, since, subset, quick });
}

interface Stored {
  /** From nameOf. */
  readonly name: string;
  readonly lake: string;
  readonly isMoving: boolean;
  readonly place: Place | null;
}

function parsed(text: string): Stored | null {
  try {
    // Safe: checked below as far as a mistaken file matters; nobody but this program writes it.
    const stored = JSON.parse(text) as Partial<Stored> & { readonly format?: unknown };
    const { format, name, lake, isMoving = false, place } = stored;
    if (format !== 1 || name === undefined || lake === undefined || place === undefined) return null;
    if (place === null) return { name, lake, isMoving, place };
    const isWhole =
      typeof place.after === 'string' &&
      typeof place.startedAt === 'number' &&
      typeof place.counts === 'object' &&
      Array.isArray(place.findings) &&
      place.findings.every(({ kind }) => Object.hasOwn(findingKinds, kind));
    return isWhole ? { name, lake, isMoving, place } : null;
  } catch {
    return null;
  }
}

function failed(done: 'read' | 'written', file: string, error: unknown): ResumeFileError {
  const why = error instanceof Error ? error.message : String(error);
  return new ResumeFileError(
    `The resume file ${file} could not be ${done} (${why})`,
    'Set --resume-file to a file that this user can read and write.',
    { cause: error },
  );
}
