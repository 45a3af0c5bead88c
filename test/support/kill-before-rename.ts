/** Loaded into a program before its own modules; see killed-before.ts. */
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { searchParams } = new URL(import.meta.url);
const wanted = new RegExp(searchParams.get('path') ?? '');
let left = Number(searchParams.get('nth'));

const { rename } = files;
files.rename = async (from, to) => {
  if (wanted.test(String(to))) left -= 1;
  if (left > 0) return await rename(from, to);
  process.kill(process.pid, 'SIGKILL');
  // The kill is on its way: nothing more is done until it is there.
  await new Promise(() => undefined);
};
// Named imports see the new one: nodejs.org/api/module.html#modulesyncbuiltinesmexports
syncBuiltinESMExports();
