import type * as redisPackage from 'redis';
import type { CommandParser, RedisScripts } from 'redis';

/**
 * A record is the string `<version> <value>`. Its version is the server's time of the write in microseconds, or one more than the
 * version before where the clock went back: so that it grows over deletion and expiry, and tells the age. 2^53 µs are reached in 2255.
 */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function written(version, value) return string.format('%.0f ', version) .. value end
`;

const GET = `${NOW}
local record = redis.call('GET', KEYS[1])
if not record then return false end
local version, value = string.match(record, '^(%d+) (.*)$')
if not version then return redis.error_reply('This is no record of ours, somebody else writes under our prefix: ' .. KEYS[1]) end
version = tonumber(version)
return { value, version, math.max(0, math.floor((now - version) / 1000)) }
`;

// ARGV: the value, then the words of SET for its expiry.
const PUT = `${NOW}
if not redis.call('SET', KEYS[1], written(now, ARGV[1]), 'NX', unpack(ARGV, 2)) then return false end
return now
`;

// ARGV: the version that it must have, the value, then the words of SET for its expiry.
const REPLACE = `${NOW}
local record = redis.call('GET', KEYS[1])
if not record or string.match(record, '^%d+') ~= ARGV[1] then return false end
local version = math.max(tonumber(ARGV[1]) + 1, now)
redis.call('SET', KEYS[1], written(version, ARGV[2]), unpack(ARGV, 3))
return version
`;

// ARGV: the version that it must have.
const DELETE = `
local record = redis.call('GET', KEYS[1])
if not record or string.match(record, '^%d+') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

/** The scripts as commands of a client. `expiry`: the words of SET for it. */
export interface ScriptedClient {
  getRecord(key: string): Promise<[value: string, version: number, age: number] | null>;
  putRecord(key: string, value: string, ...expiry: string[]): Promise<number | null>;
  replaceRecord(key: string, version: string, value: string, ...expiry: string[]): Promise<number | null>;
  deleteRecord(key: string, version: string): Promise<number>;
}

/** For `createClient({ scripts })`, which sends them by their hash; `ScriptedClient` is what comes of it. One key each, as a cluster needs it. */
export function redisScripts({ defineScript }: typeof redisPackage): RedisScripts {
  const script = (source: string) =>
    defineScript({
      SCRIPT: source,
      NUMBER_OF_KEYS: 1,
      IS_READ_ONLY: false,
      parseCommand(parser: CommandParser, key: string, ...args: string[]): void {
        parser.pushKey(key);
        parser.push(...args);
      },
      transformReply: (reply: unknown) => reply as never,
    });
  return { getRecord: script(GET), putRecord: script(PUT), replaceRecord: script(REPLACE), deleteRecord: script(DELETE) };
}
