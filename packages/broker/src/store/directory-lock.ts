import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokerError } from '../errors.js';

/** Keeps a second broker out of a directory. Resolves to what opens it again; a broker that was killed left its lock behind. */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'broker.pid');
  const owner = Number(await readFile(path, 'utf8').catch(() => '0'));
  if (owner !== 0 && isAlive(owner)) {
    throw new BrokerError(
      'ERR_BROKER_STORE_IN_USE',
      `The broker with process id ${owner} already keeps its data in "${directory}".`,
    );
  }
  await writeFile(path, String(process.pid));
  return () => unlink(path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
