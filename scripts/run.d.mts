export interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}
export interface Lock {
  readonly packages?: Readonly<Record<string, LockedPackage>>;
}
export const tasks: Readonly<Record<string, readonly (readonly string[])[]>>;
export function commandsOf(
  task: string,
  args: readonly string[],
  benches: readonly string[],
): readonly (readonly string[])[] | null;
export function whyInstall(
  lock: Lock,
  installed: Lock | null,
  here: { readonly os: string; readonly cpu: string },
): string | null;
export function outsidePath(path: string, separator?: string): string;
export function exitCodeOf(code: number | null, signal: string | null): number;
