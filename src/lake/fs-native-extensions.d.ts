/** The part of fs-native-extensions that is used here; the package brings no types (its README is the source). */
declare module 'fs-native-extensions' {
  /** False when another open file holds the lock. Throws a system error where the file system has no locks. */
  export function tryLock(fd: number): boolean;
  export function unlock(fd: number): void;
}
