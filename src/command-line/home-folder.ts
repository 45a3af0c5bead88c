/** A home folder for whoever has none: a container may run under any user id, which /etc/passwd does not know. */
import { homedir } from 'node:os';

/**
 * Sets HOME to the root folder where neither HOME nor the system names a home, as container runtimes do. The SDK
 * looks for its files in the home folder even where all that it needs is in the environment, and fails without one
 * (@smithy/core, shared-ini-file-loader/getHomeDir.js). An empty HOME would have it look in the working folder.
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
    // The system knows no such user.
  }
  environment.HOME = '/';
}
