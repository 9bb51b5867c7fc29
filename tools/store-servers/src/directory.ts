import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface ServerOptions {
  /**
   * Where the server keeps its files, for one server at a time: made when missing, kept in the end. By default a temporary folder,
   * removed in the end.
   */
  readonly directory?: string;
}

/** The folder to use, and whether it is to be removed in the end. */
export async function prepareDirectory(
  name: string,
  { directory }: ServerOptions,
): Promise<{ directory: string; temporary: boolean }> {
  if (!directory) return { directory: await mkdtemp(join(tmpdir(), `${name}-`)), temporary: true };
  await mkdir(directory, { recursive: true });
  return { directory: resolve(directory), temporary: false };
}
