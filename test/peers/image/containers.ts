/**
 * Builds the Dockerfile with buildah and runs the image with podman and runc. No image registry is asked: the
 * base that the Dockerfile names is made here, of Debian's own packages (debootstrap), the pinned Node and npm.
 * Needs root, and installs Debian's packages for it where they are missing.
 */
import { execFile, spawnSync } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../../..');
const cache = join(root, 'node_modules/.cache/peers');
/** The default of the Dockerfile's ARG BASE. */
const baseName = 'docker.io/library/node:24-trixie-slim';
const npmVersion = '11.19.1';
const imageName = 'localhost/backup-copy-export:test';

export interface ImageFacts {
  /** Bytes, uncompressed: the whole image, and what it adds to its base. */
  readonly size: number;
  readonly addedSize: number;
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** The commands of all layers, as the image keeps them. */
  readonly history: string;
}

export interface Containers {
  readonly facts: ImageFacts;
  /**
   * Runs a command to its end, with a read-only root file system, no capabilities, one scratch mount and
   * the host's network.
   */
  run(options: RunOptions): Promise<Finished>;
  /** The same, left running. */
  start(options: RunOptions): Promise<Started>;
  /** Removes all images and containers made here. */
  close(): Promise<void>;
}

export interface RunOptions {
  readonly args: readonly string[];
  /** Instead of the image's own. */
  readonly entrypoint?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of the host by their path in the container; the container's user may write them. */
  readonly mounts?: Readonly<Record<string, string>>;
}

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  signal(name: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  ended(): Promise<Finished>;
}

export async function buildImage(args: Readonly<Record<string, string>>): Promise<Containers> {
  await installTools();
  const folder = await mkdtemp(join(tmpdir(), 'bce-image-'));
  const storage = await storageIn(folder);
  const settings = join(folder, 'containers.conf');
  await writeFile(settings, '[containers]\ndefault_ulimits = []\n');
  const env = { ...process.env, CONTAINERS_CONF: settings, TMPDIR: folder };
  const call = async (program: string, rest: readonly string[]): Promise<Finished> => {
    const done = await finished(program, [...storage, ...rest], env);
    if (done.exitCode !== 0) throw new Error(`${program} ${rest.join(' ')}\n${done.stdout}\n${done.stderr}`);
    return done;
  };
  const close = async (): Promise<void> => {
    await call('buildah', ['rm', '--all']);
    await call('podman', ['rm', '--all', '--force', '--time', '0']);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const scratch = (await call('buildah', ['from', 'scratch'])).stdout.trim();
    await call('buildah', ['add', '--quiet', scratch, await baseRootFileSystem(), '/']);
    await call('buildah', ['commit', '--quiet', scratch, baseName]);
    await call('buildah', ['rm', scratch]);
    const npm = await npmSettings(folder);
    const buildArgs = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    await call('buildah', [
      ...['bud', '--isolation', 'chroot', '--network', 'host', '--pull-never'],
      ...[...npm, ...buildArgs, '--tag', imageName, '--file', join(root, 'Dockerfile'), root],
    ]);
    const facts = await readFacts(call);
    const podman = ['--cgroup-manager', 'cgroupfs', '--runtime', 'runc'];
    return {
      facts,
      async run(options) {
        return await finished('podman', [...storage, ...podman, ...runArguments(options)], env);
      },
      async start(options) {
        const name = `bce-${process.pid}-${Math.trunc(performance.now())}`;
        const running = finished(
          'podman',
          [...storage, ...podman, ...runArguments(options, ['--name', name])],
          env,
        );
        return {
          async signal(signal) {
            await call('podman', [...podman, 'kill', '--signal', signal, name]);
          },
          ended: () => running,
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Overlay where the kernel and the folder's file system allow it; else whole copies, which are slow. */
async function storageIn(folder: string): Promise<string[]> {
  const root = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
  const overlay = [...root, '--storage-driver', 'overlay'];
  const { exitCode } = await finished('buildah', [...overlay, 'info'], process.env);
  if (exitCode === 0) return overlay;
  await rm(join(folder, 'storage'), { recursive: true, force: true });
  return [...root, '--storage-driver', 'vfs'];
}

function runArguments(
  { args, entrypoint, env = {}, mounts = {} }: RunOptions,
  more: readonly string[] = [],
): string[] {
  // Where the kernel's limits may not be raised, podman's own are refused: at most what this process has.
  const files = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  return [
    ...['run', '--rm', '--network', 'host', '--read-only', '--read-only-tmpfs=false'],
    ...['--cap-drop', 'all', '--security-opt', 'no-new-privileges', '--memory', '1g'],
    ...['--ulimit', `nofile=${files}:${files}`, '--ulimit', 'nproc=10000:10000'],
    ...more,
    ...(entrypoint === undefined ? [] : ['--entrypoint', entrypoint]),
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...Object.entries(mounts).flatMap(([inside, outside]) => ['--volume', `${outside}:${inside}`]),
    imageName,
    ...args,
  ];
}

async function readFacts(
  call: (program: string, rest: readonly string[]) => Promise<Finished>,
): Promise<ImageFacts> {
  const inspect = async (name: string) => {
    const [facts]: readonly Record<string, unknown>[] = JSON.parse(
      (await call('podman', ['image', 'inspect', name])).stdout,
    );
    return facts ?? {};
  };
  const [image, base] = [await inspect(imageName), await inspect(baseName)];
  // Shapes of podman-image-inspect(1).
  const config = image.Config as {
    User: string;
    Env: string[];
    Entrypoint: string[];
    Volumes: Record<string, unknown>;
    Labels: Record<string, string>;
  };
  const size = Number(image.Size);
  return {
    size,
    addedSize: size - Number(base.Size),
    user: config.User,
    env: config.Env,
    entrypoint: config.Entrypoint,
    volumes: Object.keys(config.Volumes),
    labels: config.Labels,
    history: JSON.stringify(image.History),
  };
}

/** This machine's npm registry and its certificates, for the build only; no token is taken along. */
async function npmSettings(folder: string): Promise<string[]> {
  const setting = (name: string) =>
    spawnSync('npm', ['config', 'get', name], {
      cwd: folder,
      env: ownEnvironment(),
      encoding: 'utf8',
    }).stdout.trim();
  const inside = '/etc/ssl/certs/ca-certificates.crt';
  const authorities = setting('cafile');
  const hasAuthorities = authorities !== '' && authorities !== 'null';
  const file = join(folder, 'npmrc');
  await writeFile(file, `registry=${setting('registry')}\n${hasAuthorities ? `cafile=${inside}\n` : ''}`);
  const volume = hasAuthorities ? ['--volume', `${authorities}:${inside}:ro`] : [];
  return ['--secret', `id=npmrc,src=${file}`, ...volume];
}

/** A tar of a root file system as node:24-trixie-slim has it; made once on a machine (a minute). */
async function baseRootFileSystem(): Promise<string> {
  const node = join(root, 'node_modules/node/bin/node');
  const { stdout: version } = await promisify(execFile)(node, ['--version']);
  const tar = join(cache, `base-trixie-${version.trim()}-npm-${npmVersion}.tar`);
  const isThere = await access(tar).then(
    () => true,
    () => false,
  );
  if (isThere) return tar;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), 'bce-base-'));
  const base = join(folder, 'root');
  try {
    await must('debootstrap', ['--variant=minbase', 'trixie', base]);
    await must('npm', ['install', '--prefix', join(folder, 'npm'), '--ignore-scripts', `npm@${npmVersion}`]);
    const modules = join(base, 'usr/local/lib/node_modules');
    await mkdir(modules, { recursive: true });
    await cp(join(folder, 'npm/node_modules/npm'), join(modules, 'npm'), { recursive: true });
    await cp(node, join(base, 'usr/local/bin/node'));
    for (const name of ['npm', 'npx']) {
      await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(base, 'usr/local/bin', name));
    }
    await must('chroot', [base, 'groupadd', '--gid', '1000', 'node']);
    await must('chroot', [base, 'useradd', '--uid', '1000', '--gid', 'node', '--create-home', 'node']);
    for (const unused of [
      'var/cache/apt',
      'var/lib/apt/lists',
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
    ]) {
      await rm(join(base, unused), { recursive: true, force: true });
    }
    await must('tar', ['--create', '--directory', base, '--file', join(folder, 'base.tar'), '.']);
    await must('mv', [join(folder, 'base.tar'), `${tar}.${process.pid}`]);
    await rename(`${tar}.${process.pid}`, tar);
    return tar;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function installTools(): Promise<void> {
  const tools = ['buildah', 'podman', 'runc', 'debootstrap'];
  const missing = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(`${missing.join(', ')} are missing. Install them, or run this test as root.`);
  }
  await must('apt-get', ['update']);
  await must('apt-get', ['install', '--yes', '--no-install-recommends', ...missing]);
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const env = { ...ownEnvironment(), DEBIAN_FRONTEND: 'noninteractive' };
  const { exitCode, stdout, stderr } = await finished(program, args, env);
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${exitCode}\n${stdout}\n${stderr}`);
}

/** npm under the machine's own Node and settings, whatever npm or npx started this. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const folders = (process.env.PATH ?? '').split(delimiter);
  const outside = folders.filter((folder) => !folder.split(sep).includes('node_modules'));
  return { ...Object.fromEntries(inherited), PATH: outside.join(delimiter) };
}

function finished(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** All of package.json that the tests compare the image with. */
export async function packageFacts(): Promise<{
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
}
