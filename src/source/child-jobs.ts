/**
 * Parents and children among copy jobs: whether AWS lists children by default is not documented, so they are counted.
 */

/** The id that a record has; null where it has none. */
export function jobId(record: unknown): string | null {
  return textOf(record, 'CopyJobId');
}

export function parentId(record: unknown): string | null {
  return textOf(record, 'ParentJobId');
}

export interface Family {
  /** Takes note of a record that was handed on. */
  note(record: unknown): void;
  /** Whether this child of this parent was noted. */
  knows(parent: string, child: string): boolean;
  /** Parents that have more children than were noted, each named only once over all calls. */
  takeIncomplete(): string[];
}

export function createFamily(): Family {
  const expected = new Map<string, number>();
  const children = new Map<string, Set<string>>();
  return {
    note: (record) => {
      const id = jobId(record);
      if (id === null) return;
      const parent = parentId(record);
      if (parent !== null) {
        const siblings = children.get(parent) ?? new Set();
        children.set(parent, siblings.add(id));
      }
      const count = childrenExpected(record);
      if (count > 0 && !expected.has(id)) expected.set(id, count);
    },
    knows: (parent, child) => children.get(parent)?.has(child) ?? false,
    takeIncomplete: () => {
      const incomplete: string[] = [];
      for (const [parent, count] of expected) {
        if (count > (children.get(parent)?.size ?? 0)) incomplete.push(parent);
        // Asked for once: what AWS does not list then, it does not have.
        expected.set(parent, 0);
      }
      return incomplete;
    },
  };
}

/** A parent that does not say how many has at least one. */
function childrenExpected(record: unknown): number {
  const count = field(record, 'NumberOfChildJobs');
  if (typeof count === 'number') return count;
  return field(record, 'IsParent') === true ? 1 : 0;
}

function textOf(record: unknown, name: string): string | null {
  const value = field(record, name);
  return typeof value === 'string' && value !== '' ? value : null;
}

function field(record: unknown, name: string): unknown {
  return typeof record === 'object' && record !== null ? Reflect.get(record, name) : undefined;
}
