import { defineJob, handler } from '@warren/core';
import type { HandlerDefinition, JobType } from '@warren/core';
// For the types of its options; `--plugins audit` loads it.
import type { AuditEntry } from 'warren-plugin-audit';

export interface Refund {
  order: string;
}

export const refund: JobType<Refund> = defineJob<Refund>('refund', { queue: 'refunds' });

const action: AuditEntry['action'] = 'refund an order';

const handlers: HandlerDefinition<Refund>[] = [handler(refund, () => {}, { audit: action })];
export default handlers;
