import { hostname, userInfo } from 'node:os';

/**
 * Who runs the program, as the machine knows: `ada@laptop`. Containers often run under ids that the user database does not hold:
 * `uid 54321@pod`.
 * @param nameOfUser throws where the machine knows no such user (nodejs.org/api/os.html#osuserinfooptions)
 */
export function userOfThisMachine(nameOfUser = () => userInfo().username): string {
  return `${nameOr(`uid ${process.getuid?.() ?? 'unknown'}`, nameOfUser)}@${hostname()}`;
}

function nameOr(otherwise: string, nameOfUser: () => string): string {
  try {
    return nameOfUser();
  } catch {
    return otherwise;
  }
}
