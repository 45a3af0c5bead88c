/**
 * A process that writes, to be run beside others and killed. Arguments: the store as JSON, the key, and
 * `increment N` (adds one to a number N times;
 * the number is padded, so that writing it takes long enough to be met) or `replace` (whole bodies of one letter, for ever).
 */
import { openDescribed, writeOf } from './described-store.ts';

const [description = '', key = '', work = '', times = '0'] = process.argv.slice(2);
const store = await openDescribed(JSON.parse(description));

async function replaceOnce(next: (before: Uint8Array | null) => Uint8Array): Promise<void> {
  for (;;) {
    const before = await store.read(key);
    const condition = before === null ? ({ ifAbsent: true } as const) : { ifMatch: before.etag };
    if ((await store.put(writeOf(key, next(before?.bytes ?? null), condition))).written) return;
  }
}

process.stdout.write('ready\n');
if (work === 'increment') {
  // Until its standard input is closed: so that all begin at once.
  for await (const _ of process.stdin);
  for (let done = 0; done < Number(times); done += 1) {
    await replaceOnce((before) =>
      Buffer.from(String(Number(before === null ? 0 : Buffer.from(before).toString()) + 1).padStart(200_000)),
    );
  }
} else {
  for (let letter = 0; ; letter = (letter + 1) % 26) {
    await replaceOnce(() => Buffer.alloc(2_000_000 + letter * 100_000, 97 + letter));
  }
}
await store.close();
