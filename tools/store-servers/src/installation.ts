import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const DEBIAN = '/usr/lib/postgresql';
const HOMEBREW = ['/opt/homebrew', '/usr/local'];

/** The path of redis-server: in PATH, else where Homebrew puts it; undefined when Redis is not installed. */
export function findRedis(): string | undefined {
  const folders = [...searchPath(), ...HOMEBREW.map((root) => join(root, 'bin'))];
  return folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path));
}

/**
 * The folder of postgres and initdb: one in PATH, else the newest of Debian's or Homebrew's; undefined when PostgreSQL is not installed.
 */
export function findPostgres(): string | undefined {
  const folders = [...searchPath(), ...debianFolders(), ...HOMEBREW.map((root) => join(root, 'opt/postgresql/bin'))];
  return folders.find((folder) => ['postgres', 'initdb'].every((name) => existsSync(join(folder, name))));
}

function searchPath(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
}

function debianFolders(): string[] {
  if (!existsSync(DEBIAN)) return [];
  const versions = readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(DEBIAN, version, 'bin'));
}
