/** Types for what this program uses of fs-native-extensions, which has none. Source: its README. */
declare module 'fs-native-extensions' {
  /** False if another open file holds the lock. Throws a system error if the file system has no locks. */
  export function tryLock(fd: number): boolean;
  export function unlock(fd: number): void;
}
