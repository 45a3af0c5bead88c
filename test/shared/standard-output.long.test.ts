import { fullDisk, refusedOutput } from './refused-output.ts';

refusedOutput(fullDisk);
