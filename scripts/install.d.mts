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
export function whyInstall(
  lock: Lock,
  installed: Lock | null,
  here: { readonly os: string; readonly cpu: string },
  onDisk: (path: string) => boolean,
): string | null;
