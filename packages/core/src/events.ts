import { EventEmitter } from 'node:events';

/** What `worker.on` announces. */
export interface WorkerEventMap {
  /** Connected and declared: at the start, and after every outage. */
  connected: [event: { url: string; version: string; reconnected: boolean }];
  disconnected: [event: { error?: Error }];
  /** Before each attempt to come back; `delay` is in milliseconds, `attempt` counts from 1 since the connection was lost. */
  reconnecting: [event: { attempt: number; delay: number; error?: Error }];
  /** Once per outage, when `attempts` reaches the threshold (`reconnect.alarmAfter`). */
  alarm: [event: { attempts: number; error?: Error }];
  /** The broker is short of memory or disk and does not read what is published until `unblocked`. */
  blocked: [event: { reason: string }];
  unblocked: [];
  /** Something went wrong in the background and is being repaired; `what` says where. */
  fault: [event: { what: string; error: Error }];
}

export class WorkerEvents extends EventEmitter<WorkerEventMap> {
  /** What a listener throws is thrown out of the way of the repair that it was told of, as an uncaught exception. */
  override emit(event: keyof WorkerEventMap, ...args: unknown[]): boolean {
    try {
      return (super.emit as (event: string, ...args: unknown[]) => boolean).call(this, event, ...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
      return true;
    }
  }
}
