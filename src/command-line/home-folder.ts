/** Provides a home folder where there is none: a container may run under a user id that /etc/passwd does not list. */
import { homedir } from 'node:os';

/**
 * If neither HOME nor the system names a home, sets HOME to the root folder, as container runtimes do. The SDK looks
 * for its files in the home folder even if everything it needs is in the environment, and fails without one
 * (@smithy/core, shared-ini-file-loader/getHomeDir.js). With an empty HOME it would look in the working folder.
 */
export function provideHome(
  environment: Record<string, string | undefined>,
  homeOfUser: () => string = homedir,
): void {
  if (environment.HOME) return;
  delete environment.HOME;
  try {
    if (homeOfUser() !== '') return;
  } catch {
    // The system does not know this user id.
  }
  environment.HOME = '/';
}
