import { Sightings } from '../verify/sightings.ts';
import { runVerify, type VerifyIo } from '../verify/verify.ts';
import { wholeLake } from '../verify/verify-settings.ts';
import type { LookedAt } from './plan-repair.ts';
import type { RepairSettings } from './repair-settings.ts';

/** Verifies the whole lake for `repair`: goes on where a part cannot be read, and notes what it has seen of each object. */
export async function lookAt(
  settings: RepairSettings,
  io: Omit<VerifyIo, 'sightings' | 'onUnread'>,
): Promise<LookedAt> {
  const sightings = new Sightings();
  const unread = new Map<string, string>();
  const onUnread = (key: string, { message }: Error) => void unread.set(key, message);
  const { findings } = await runVerify({ ...settings, ...wholeLake }, { ...io, sightings, onUnread });
  return { findings, sightings, unread };
}
