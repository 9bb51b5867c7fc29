import type { Clock } from '@warren/core';
import { Records } from '@warren/store';
import type { Store } from '@warren/store';
import type { GroupRecord } from './continuations.js';
import type { TasksSettings } from './options.js';
import type { TaskRecord } from './record.js';
import type { ScheduleRecord } from './schedule/scheduler.js';
import { TaskRecords } from './task-records.js';
import { UniqueKeys } from './unique.js';
import type { UniqueRecord } from './unique.js';

/** All that the store keeps of tasks. */
export interface Ledger {
  readonly tasks: TaskRecords;
  readonly groups: Records<GroupRecord>;
  readonly uniqueKeys: UniqueKeys;
  readonly schedules: Records<ScheduleRecord>;
}

export function ledgerIn(store: Store, { clock, settings }: { clock: Clock; settings: TasksSettings }): Ledger {
  const tasks = new TaskRecords({ records: new Records<TaskRecord>(store, 'task/'), clock, settings });
  const uniqueKeys = new UniqueKeys({ keys: new Records<UniqueRecord>(store, 'unique/'), tasks });
  const [groups, schedules] = [new Records<GroupRecord>(store, 'group/'), new Records<ScheduleRecord>(store, 'schedule/')];
  return { tasks, groups, uniqueKeys, schedules };
}
