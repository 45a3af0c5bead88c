import { Sha256 } from '@smithy/core/checksum';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SigningHash } from '../../src/aws/signing-hash.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
const key = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((each) => each.slice().buffer),
  // A view of a part of its buffer.
  fc.uint8Array({ minLength: 5, maxLength: 200 }).map((each) => each.subarray(2, -1)),
);

it('is what the SDK’s own class computes, with a key and without', async () => {
  await fc.assert(
    fc.asyncProperty(fc.option(key, { nil: undefined }), fc.array(bytes), async (secret, pieces) => {
      const [own, theirs] = [new SigningHash(secret), new Sha256(secret)];
      for (const piece of pieces) {
        own.update(piece);
        theirs.update(piece);
      }
      expect(await own.digest()).toEqual(Buffer.from(await theirs.digest()));
      own.reset();
      own.update(Buffer.from('again'));
      theirs.reset();
      theirs.update(Buffer.from('again'));
      expect(await own.digest()).toEqual(Buffer.from(await theirs.digest()));
    }),
  );
});
