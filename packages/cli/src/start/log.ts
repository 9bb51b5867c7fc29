// Two looks of one log: JSON lines by pino for machines, short lines for people.
import { stripVTControlCharacters, styleText } from 'node:util';
import { pino } from 'pino';
import type { Logger } from '@warren/core';
import { LOG_LEVELS } from '../project/log-levels.js';
import type { LogLevel } from '../project/log-levels.js';
import { readable } from './readable.js';

export interface LogOptions {
  readonly json: boolean;
  readonly level: LogLevel;
}

/** The log on stdout. */
export function createLog({ json, level }: LogOptions): Logger {
  if (!json) return readableLog(level);
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: ['password', '*.password'] };
  return pino({ ...options, formatters: { level: (label) => ({ level: label }) } });
}

type Level = Exclude<LogLevel, 'silent'>;

const COLORS = { trace: 'dim', debug: 'dim', info: 'cyan', warn: 'yellow', error: 'red' } as const;

function readableLog(least: LogLevel): Logger {
  const from = LOG_LEVELS.indexOf(least);
  const at = (level: Level): Logger[Level] => {
    if (LOG_LEVELS.indexOf(level) < from) return () => {};
    return (facts, message) => process.stdout.write(`${line(level, message, facts)}\n`);
  };
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Wide enough for the longest of the everyday events. */
const EVENT_WIDTH = 12;

function line(level: Level, message: string, facts: object): string {
  const { event, text } = readable(level, message, facts);
  const time = new Date().toTimeString().slice(0, 8);
  // Names and error messages come from messages: no control sequence of theirs reaches the terminal.
  const safe = stripVTControlCharacters(text).replaceAll(/[\p{Cc}]+/gu, ' ');
  return `${styleText('dim', time)} ${styleText(COLORS[level], event.padEnd(EVENT_WIDTH))} ${safe}`;
}
