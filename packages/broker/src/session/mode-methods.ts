import { AmqpError } from '../amqp/replies.js';
import { Confirms } from './confirms.js';
import type { Handlers } from './methods.js';
import { Transaction } from './transaction.js';

// channel.flow, and the two modes that a channel can be in: confirm and tx.

export const modeMethods: Handlers = {
  'channel.flow'(channel, { active }) {
    if (!active) throw new AmqpError('NOT_IMPLEMENTED', 'active=false');
    channel.send('channel.flow-ok', { active });
  },

  'confirm.select'(channel, { nowait }) {
    if (channel.transaction !== undefined) throw new AmqpError('PRECONDITION_FAILED', 'cannot switch from tx to confirm mode');
    channel.confirms ??= new Confirms(channel);
    if (!nowait) channel.send('confirm.select-ok', {});
  },

  'tx.select'(channel) {
    if (channel.confirms !== undefined) throw new AmqpError('PRECONDITION_FAILED', 'cannot switch from confirm to tx mode');
    channel.transaction ??= new Transaction();
    channel.send('tx.select-ok', {});
  },

  'tx.commit'(channel) {
    if (channel.transaction === undefined) throw new AmqpError('PRECONDITION_FAILED', 'channel is not transactional');
    channel.transaction.commit();
    const { store } = channel.host;
    if (store === undefined) channel.send('tx.commit-ok', {});
    else store.committed(() => channel.send('tx.commit-ok', {}));
  },

  'tx.rollback'(channel) {
    if (channel.transaction === undefined) throw new AmqpError('PRECONDITION_FAILED', 'channel is not transactional');
    channel.deliveries.restore(channel.transaction.rollback());
    channel.send('tx.rollback-ok', {});
  },
};
