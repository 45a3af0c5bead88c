/**
 * For `node --import`: the local clock is set by CLOCK_JUMP_MS as soon as the file that CLOCK_JUMP_FILE names is there. Only what
 * JavaScript calls the time changes, as it does when somebody sets the machine's clock; monotonic clocks go on.
 */
import { existsSync } from 'node:fs';

const RealDate = Date;
const file = process.env.CLOCK_JUMP_FILE ?? '';
const jumpMs = Number(process.env.CLOCK_JUMP_MS ?? '0');
let jumped = false;

function now(): number {
  jumped ||= existsSync(file);
  return RealDate.now() + (jumped ? jumpMs : 0);
}

class JumpingDate extends RealDate {
  static override now = now;

  constructor(...given: unknown[]) {
    // Safe: whatever may be given to Date is handed on as it came.
    super(...((given.length === 0 ? [now()] : given) as [number]));
  }
}

globalThis.Date = JumpingDate as DateConstructor;
