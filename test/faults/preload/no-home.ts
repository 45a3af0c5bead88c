/** Loaded into a program before its own modules: the machine knows no user of this id, so no home folder either. */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

/** What Node throws for an id that the user database does not hold: nodejs.org/api/os.html#osuserinfooptions. */
function unknownUser(call: string): never {
  throw Object.assign(
    new Error(`A system error occurred: ${call} returned ENOENT (no such file or directory)`),
    { name: 'SystemError', code: 'ERR_SYSTEM_ERROR', syscall: call, errno: -2 },
  );
}

os.homedir = () => unknownUser('uv_os_homedir');
os.userInfo = () => unknownUser('uv_os_get_passwd');
syncBuiltinESMExports();
