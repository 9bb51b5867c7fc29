import { StoreClientMissingError } from './errors.js';

/** A client is loaded when its store is first used: those of the other stores need not be installed. */
export async function importClient<M>(load: () => Promise<M>, facts: { client: string; url: string }): Promise<M> {
  try {
    return await load();
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    throw missing ? new StoreClientMissingError({ ...facts, cause }) : cause;
  }
}
