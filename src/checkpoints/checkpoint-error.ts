import { LakeError } from '../shared/errors.ts';

/** A checkpoint could not be written, or must not be. What the run published stays. */
export class CheckpointError extends LakeError {}
