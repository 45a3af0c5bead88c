import { expect, it } from 'vitest';
import { contradiction, placementMetadata } from '../../src/lake/part-placement.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';

const day = { creation_date: '2026-11-20' };
const written = new Map(Object.entries(placementMetadata(copyJobs, day, { bucket: 0, buckets: 1 })));

it.each([
  { bucket: 0, buckets: 2 },
  { bucket: 1, buckets: 2 },
])(
  'a part of another count of buckets is not blamed where lake.json may be what was edited: %j',
  (placement) => {
    expect(contradiction(placementMetadata(copyJobs, day, placement), written)).toMatch(
      /with 1 bucket .*lake\.json says 2\. If other parts agree .*restore lake\.json, and leave the parts as they are$/,
    );
  },
);

it('nothing contradicts the place that a part was written for', () => {
  expect(contradiction(placementMetadata(copyJobs, day, { bucket: 0, buckets: 1 }), written)).toBeNull();
});
