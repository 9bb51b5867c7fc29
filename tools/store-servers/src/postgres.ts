import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@warren/rabbitmq-node';
import { prepareDirectory, type ServerOptions } from './directory.js';
import { postgresNotInstalled, startFailed } from './errors.js';
import { findPostgres } from './installation.js';
import { type PrivateServer, type Program, startServer } from './server.js';

export interface PostgresOptions extends ServerOptions {
  /** Writes reach the disk before they are acknowledged: what a crash of the machine needs, and `kill` does not. Default false. */
  readonly fsync?: boolean;
}

const NAME = 'PostgreSQL';
const PASSWORD = 'postgres';
const run = promisify(execFile);

/**
 * Starts a PostgreSQL and resolves when it takes connections; rejects with `ERR_POSTGRES_NOT_INSTALLED` or `ERR_SERVER_START`. Takes 1 s.
 * Its url is `postgres://postgres:postgres@127.0.0.1:PORT/postgres`, and the password is checked. It refuses to run as root: then it runs as `postgres`,
 * who has to be able to enter all folders above `directory`.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PrivateServer> {
  const programs = findPostgres();
  if (!programs) throw postgresNotInstalled();
  const user = await userToRunAs();
  const { directory, temporary } = await prepareDirectory('postgres', options);
  if (user) await chown(directory, user.uid, user.gid);
  const cluster = join(directory, 'cluster');
  if (!existsSync(cluster)) await initialise({ programs, directory, cluster, user });
  const port = await freePort();
  return startServer({
    name: NAME,
    url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
    port,
    directory,
    temporary,
    command: join(programs, 'postgres'),
    args: ['-D', cluster, '-p', String(port), ...settings(options)],
    ...(user && { user }),
    stopSignal: 'SIGINT',
    lastSignal: 'QUIT',
    ready: async (pid) => {
      const { 0: found, 7: state } = await pidFile(cluster);
      return Number(found) === pid && state === 'ready';
    },
    cleanUp: () => removeSharedMemory(cluster),
  });
}

async function userToRunAs(): Promise<Program['user']> {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])));
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch {
    throw startFailed(NAME, 'it refuses to run as root, and there is no user postgres', '');
  }
}

interface Initialisation {
  readonly programs: string;
  readonly directory: string;
  readonly cluster: string;
  readonly user: Program['user'];
}

async function initialise({ programs, directory, cluster, user }: Initialisation): Promise<void> {
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, PASSWORD);
  const args = ['-D', cluster, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile];
  const locale = ['-E', 'UTF8', '--locale=C', '--no-sync'];
  try {
    await run(join(programs, 'initdb'), [...args, ...locale], { ...user, cwd: directory });
  } catch (error) {
    throw startFailed(NAME, 'initdb failed', String(error));
  } finally {
    await rm(passwordFile);
  }
}

/** No socket file, whose path could be too long. Shared memory in the folder, so that a killed server leaves nothing elsewhere. */
function settings({ fsync = false }: PostgresOptions): string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: fsync ? 'on' : 'off',
    shared_buffers: '32MB',
    max_connections: '400', // a test file opens many stores at once
    dynamic_shared_memory_type: 'mmap',
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The lines of postmaster.pid, which pg_ctl reads too: process id first, key and id of its shared memory seventh, state eighth. */
async function pidFile(cluster: string): Promise<string[]> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.trim());
}

/** A few bytes in System V shared memory outlive a killed server, and a machine has room for some thousands of these. */
async function removeSharedMemory(cluster: string): Promise<void> {
  const [, id] = (await pidFile(cluster))[6]?.split(/\s+/) ?? [];
  if (id) await run('ipcrm', ['-m', id]).catch(() => {});
}
