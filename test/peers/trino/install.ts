/**
 * Trino 435, the last that runs on Java 17, out of Maven's Central repository: the server, and the Hive connector
 * with its Parquet reader, without the other connectors. Kept in node_modules/.cache/peers. Needs a JDK and Maven.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const trinoVersion = '435';

export interface Installation {
  /** Holds `lib`, `plugin` and `classes`. */
  readonly folder: string;
  /** What it took when it was installed. */
  readonly seconds: number;
  readonly bytes: number;
  /** False when it was there already. */
  readonly fresh: boolean;
}

const sources = join(import.meta.dirname, 'java');
const peers = join(import.meta.dirname, '../../../node_modules/.cache/peers');

/** The server's own libraries, and the connector as it is published: whole, with libraries of its own. */
const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>peers</groupId><artifactId>trino</artifactId><version>1</version><packaging>pom</packaging>
  <dependencyManagement><dependencies><dependency>
    <groupId>io.trino</groupId><artifactId>trino-root</artifactId><version>${trinoVersion}</version>
    <type>pom</type><scope>import</scope>
  </dependency></dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>io.trino</groupId><artifactId>trino-main</artifactId><version>${trinoVersion}</version></dependency>
    <dependency>
      <groupId>io.trino</groupId><artifactId>trino-hive</artifactId><version>${trinoVersion}</version><type>zip</type>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
  </dependencies>
</project>
`;
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

/** What the local file system of HdfsFileSystemManager.java is made of, out of the connector's own libraries. */
const localFileSystem = /^(trino-filesystem-\d|guava-\d|failureaccess-\d)/;

/** Installs at the first call on a machine. Fails when a tool is missing or the repository does not answer. */
export async function installedTrino(): Promise<Installation> {
  const recipe = createHash('sha256').update(project);
  for (const file of (await readdir(sources)).sort()) recipe.update(await readFile(join(sources, file)));
  const folder = join(peers, `trino-${trinoVersion}-${recipe.digest('hex').slice(0, 12)}`);
  const known = await readFile(join(folder, 'installed.json'), 'utf8').catch(() => null);
  // Safe: written below.
  if (known !== null) return { folder, fresh: false, ...(JSON.parse(known) as Measured) };
  await mkdir(peers, { recursive: true });
  const installing = await mkdtemp(join(peers, 'installing-trino-'));
  try {
    const measured = await installInto(installing);
    await writeFile(join(installing, 'installed.json'), JSON.stringify(measured));
    await rename(installing, folder);
    return { folder, fresh: true, ...measured };
  } catch (error) {
    await rm(installing, { recursive: true, force: true });
    throw error;
  }
}

type Measured = Pick<Installation, 'seconds' | 'bytes'>;

async function installInto(folder: string): Promise<Measured> {
  const begun = performance.now();
  const lib = join(folder, 'lib');
  const plugin = join(folder, 'plugin');
  const hive = join(plugin, 'hive');
  const hdfs = join(hive, 'hdfs');
  await writeFile(join(folder, 'pom.xml'), project);
  await tool(
    'mvn',
    ['-B', '-q', copyDependencies, '-DincludeScope=runtime', '-DoutputDirectory=lib'],
    folder,
  );
  await mkdir(plugin);
  const zip = join(lib, `trino-hive-${trinoVersion}.zip`);
  await tool('jar', ['--extract', '--file', zip], plugin);
  await rm(zip);
  await rename(join(plugin, `trino-hive-${trinoVersion}`), hive);
  await mkdir(hdfs);
  for (const jar of await readdir(hive)) {
    if (localFileSystem.test(jar)) await cp(join(hive, jar), join(hdfs, jar));
  }
  const compile = (file: string, output: string) =>
    tool('javac', ['-cp', `${lib}/*:${hive}/*`, '-d', output, join(sources, file)], folder);
  await compile('HdfsFileSystemManager.java', join(hdfs, 'classes'));
  await compile('StartTrino.java', join(folder, 'classes'));
  const files = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { seconds: Math.round((performance.now() - begun) / 1000), bytes };
}

async function tool(name: string, words: readonly string[], cwd: string): Promise<void> {
  await promisify(execFile)(name, [...words], { cwd, timeout: 15 * 60_000 }).catch((error: unknown) => {
    const { stdout = '', stderr = '' } =
      error instanceof Error ? (error as { stdout?: string; stderr?: string }) : {};
    throw new Error(
      `Trino ${trinoVersion} cannot be installed: ${name} failed. It needs a JDK (17 or later) and Maven, and a ` +
        `repository that answers.\n${`${stdout}${stderr}`.slice(-3000)}`,
      { cause: error },
    );
  });
}
