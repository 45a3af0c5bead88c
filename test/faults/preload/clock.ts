/**
 * Loaded into a program before its own modules: its clock is off by `offset` milliseconds, and by `jump` more from the
 * first SIGUSR2 on. Timers and `performance` keep to the real one, as they do when a machine's clock is set.
 */
const { searchParams } = new URL(import.meta.url);
let offset = Number(searchParams.get('offset') ?? 0);
const jump = searchParams.get('jump');

const Real = Date;
const now = () => Real.now() + offset;
globalThis.Date = new Proxy(Real, {
  construct: (target, given: unknown[], newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  apply: () => new Real(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});

if (jump !== null) {
  process.once('SIGUSR2', () => {
    offset += Number(jump);
  });
}
