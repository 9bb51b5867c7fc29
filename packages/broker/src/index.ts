export { startBroker, type EmbeddedBroker, type QueueProbe, type WaitOptions } from './embedded-broker.js';
export type { BrokerOptions, TlsOptions } from './options.js';
export type { Compat } from './compat.js';
export type { ChannelFault, Control, QueueCondition, QueueName } from './control/commands.js';
export type { ConfirmFault } from './control/faults.js';
export type { ConnectionState, MessageState, QueueState, Snapshot } from './control/states.js';
export type { Limits } from './session/session-host.js';
export * from './errors.js';
