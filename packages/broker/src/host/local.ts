import { Broker } from '../broker.js';
import { Commands } from '../control/commands.js';
import { BrokerClosedError } from '../errors.js';
import type { Settings } from '../options.js';
import type { CommandName, Host } from './host.js';

/** Runs a broker on the calling thread. */
export async function startLocal(settings: Settings): Promise<Host> {
  const broker = await Broker.open(settings);
  const ports = await broker.listen().catch(async (error: unknown) => {
    await broker.close();
    throw error;
  });
  const commands = new Commands(broker);
  let closed = false;
  return {
    ports,
    async call(name: CommandName, args: readonly unknown[]): Promise<unknown> {
      if (closed) throw new BrokerClosedError();
      return (commands[name] as (...args: readonly unknown[]) => unknown).apply(commands, [...args]);
    },
    async close() {
      closed = true;
      await broker.close();
    },
  };
}
