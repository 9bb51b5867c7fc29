import { InvalidOptionError, requireOptions } from '@warren/core';

export interface DelayOptions {
  /** `classic` for a broker without quorum queues: a message can then be lost when the broker restarts as it moves on. Default `quorum`. */
  queueType?: 'quorum' | 'classic';
  /** The first word of every exchange and queue that holds messages; apart, they hold them apart. Default `delay`. */
  prefix?: string;
}

/** The longest name that is made with it is that of a relay queue: see delay-topology.ts. */
const PREFIX = /^[\w-]{1,20}$/;

/** Fills in the defaults. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`. */
export function settingsOf(options: DelayOptions = {}): Required<DelayOptions> {
  requireOptions(options, 'delay', ['queueType', 'prefix']);
  const { queueType = 'quorum', prefix = 'delay' } = options;
  if (queueType !== 'quorum' && queueType !== 'classic') {
    throw new InvalidOptionError({ option: 'queueType', expected: "'quorum' or 'classic'", got: queueType });
  }
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) {
    throw new InvalidOptionError({ option: 'prefix', expected: '1 to 20 letters, digits, _ or -', got: prefix });
  }
  return { queueType, prefix };
}
