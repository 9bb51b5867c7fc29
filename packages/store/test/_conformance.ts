// What every store has to do. Each implementation calls `conformance` from a test file of its own, with a store on a real server.
import ava from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import type { Store } from '../src/index.js';
import { cases as expiryCases } from './_conformance-expiry.js';
import { cases as limitCases } from './_conformance-limits.js';
import { cases as listCases } from './_conformance-lists.js';
import { cases as modelCases } from './_conformance-model.js';
import { cases as raceCases } from './_conformance-races.js';
import { cases as recordCases } from './_conformance-records.js';

/** Opens a store and registers its end. Called again in a test, it gives another one over the same records. */
export type Open = (t: ExecutionContext) => Promise<Store>;

export interface ConformanceOptions {
  /** Such as `withRedis(test)`. Default: ava's own. */
  readonly test?: TestFn | TestFn['skip'];
  /** Two stores that are opened one after another have the same records. Default: true. */
  readonly shared?: boolean;
  /** Of each property. Default: 25. */
  readonly runs?: number;
}

export interface Conformance {
  readonly open: Open;
  readonly shared: boolean;
  readonly runs: number;
}

export type Case = readonly [title: string, run: (t: ExecutionContext, conformance: Conformance) => Promise<void>];

/** Registers the tests of the store `name`. Records of other tests may be there: each test has keys of its own. */
export function conformance(name: string, open: Open, { test = ava, shared = true, runs = 25 }: ConformanceOptions = {}): void {
  const cases = [recordCases, expiryCases, modelCases, raceCases, listCases, limitCases].flat();
  for (const [title, run] of cases) test(`${name}: ${title}`, (t) => run(t, { open, shared, runs }));
}
