/** Loaded before the program: lists every module that it loads, in the file of LOADED_MODULES. */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const file = process.env.LOADED_MODULES;
if (file === undefined) throw new Error('LOADED_MODULES names no file');
appendFileSync(file, '');
registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context);
    appendFileSync(file, `${found.url}\n`);
    return found;
  },
});
