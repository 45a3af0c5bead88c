/** Loaded into a program before its own modules: it gets `signal` while the module that `at` matches is being loaded. */
import { registerHooks } from 'node:module';

const { searchParams } = new URL(import.meta.url);
const at = new RegExp(searchParams.get('at') ?? '');
const signal = searchParams.get('signal') ?? '';

let sent = false;
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!sent && at.test(url)) {
      sent = true;
      process.kill(process.pid, signal);
    }
    return loaded;
  },
});
