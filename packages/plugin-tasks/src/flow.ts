// Chains and groups: what they are, and which tasks with which records they come to.
import { InvalidOptionError } from '@warren/core';
import type { Job, JobType } from '@warren/core';
import { requireTask } from './task.js';
import type { Membership } from './record.js';

/** Tasks one after another: each gets the former's result as its payload. `I` is the first one's payload. */
export interface Chain<I = unknown> {
  readonly kind: 'chain';
  readonly steps: readonly JobType[];
  /** Never there at run time: carries the type. */
  readonly input?: I;
}

/** Tasks beside each other, and one that gets the list of their results, in order, when all have succeeded. */
export interface GroupFlow {
  readonly kind: 'group';
  readonly members: readonly Member[];
  readonly last: JobType | Chain;
}

/** A task or a chain, and its payload. */
export type Member<I = unknown> = readonly [task: JobType<unknown, I> | Chain<I>, payload: NoInfer<I>];

/** Members with payloads of the types `I`. */
export type Members<I extends readonly unknown[]> = { readonly [K in keyof I]: Member<I[K]> };

/** What `group` gives: `then` says what comes after it. It is no promise. */
export interface Group {
  then(last: JobType | Chain): GroupFlow;
}

/** The header of a message that belongs to a chain or group: the id of its last task. */
export const FLOW = 'x-task-flow';

export function isOfFlow({ headers }: Pick<Job, 'headers'>): boolean {
  return headers[FLOW] !== undefined;
}

/** A group's records are gathered into one message. */
const MAX_MEMBERS = 10_000;

/** Tasks one after another: each gets the former's result as its payload; the last one's result is the chain's. */
export function chain<I>(steps: readonly [JobType<unknown, I>, ...JobType[]]): Chain<I> {
  if (!Array.isArray(steps) || steps.length === 0) {
    throw new InvalidOptionError({ option: 'chain', expected: 'a list of tasks', got: steps });
  }
  for (const step of steps as readonly JobType[]) requireStep(step, 'chain');
  return { kind: 'chain', steps };
}

/** Tasks beside each other: `group([[resize, a], [resize, b]]).then(collage)`. */
export function group<const I extends readonly unknown[]>(members: Members<I>): Group {
  if (
    !Array.isArray(members) ||
    members.length === 0 ||
    members.length > MAX_MEMBERS ||
    members.some((member) => !Array.isArray(member))
  ) {
    throw new InvalidOptionError({ option: 'group', expected: `1 to ${MAX_MEMBERS} pairs [task, payload]`, got: members });
  }
  for (const [task] of members) requireSteps(task, 'group');
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- the word of the field; what awaits a group by mistake is told so.
    then(last) {
      if (typeof last === 'function') {
        throw new InvalidOptionError({ option: 'group(…).then', expected: 'a task; a group is no promise to await', got: last });
      }
      requireSteps(last, 'group(…).then');
      return { kind: 'group', members, last };
    },
  };
}

export function isFlow(given: unknown): given is Chain | GroupFlow {
  return typeof given === 'object' && given !== null && 'kind' in given;
}

function requireSteps(task: unknown, option: string): void {
  for (const step of isFlow(task) && task.kind === 'chain' ? task.steps : [task]) requireStep(step, option);
}

/** Results travel as JSON. */
function requireStep(step: unknown, option: string): void {
  requireTask(step, option);
  if (step.codec !== 'json') {
    throw new InvalidOptionError({ option, expected: `task "${step.name}" with the codec 'json'`, got: step.codec });
  }
}

/** What comes after a task. */
export interface Continuation {
  readonly next?: string;
  readonly join?: Membership;
}

/** One task of a flow, as it will be enqueued; without `first` it waits for those before it. */
export interface PlannedTask extends Continuation {
  readonly id: string;
  readonly task: JobType;
  readonly first?: { readonly payload: unknown };
}

/** A group that will be counted: when all `size` members have succeeded, the task `next` gets their results. */
export interface PlannedGroup {
  readonly id: string;
  readonly size: number;
  readonly next: string;
}

export interface Plan {
  readonly tasks: readonly PlannedTask[];
  readonly group?: PlannedGroup;
}

/** The tasks of a flow. Ids follow from the flow's `id`, which is that of its last task: who plans it twice gets the same. */
export function plan(flow: Chain | GroupFlow, payload: unknown, id: string): Plan {
  if (flow.kind === 'chain') return { tasks: planned(flow, { id, first: { payload } }) };
  const groupId = `${id}.group`;
  const members = flow.members.flatMap(([task, own], index) =>
    planned(task, { id: memberId(groupId, index), first: { payload: own }, join: { group: groupId, index } }),
  );
  return {
    tasks: [...planned(flow.last, { id }), ...members],
    group: { id: groupId, size: flow.members.length, next: entryOf(flow.last, id) },
  };
}

/** The id of a group's member: the task whose result counts. */
export function memberId(group: string, index: number): string {
  return `${group}.${index}`;
}

/** A chain's last step has the id and the continuation that the chain has; its first one the payload. */
function planned(task: JobType | Chain, { id, first, ...after }: Omit<PlannedTask, 'task'>): PlannedTask[] {
  const steps = 'kind' in task ? task.steps : [task];
  return steps.map((step, index) => ({
    id: stepId(id, index, steps.length),
    task: step,
    ...(index === 0 && first && { first }),
    ...(index < steps.length - 1 ? { next: stepId(id, index + 1, steps.length) } : after),
  }));
}

function entryOf(task: JobType | Chain, id: string): string {
  return 'kind' in task ? stepId(id, 0, task.steps.length) : id;
}

function stepId(id: string, index: number, count: number): string {
  return index === count - 1 ? id : `${id}.step${index}`;
}
