// @warren/core: connection lifecycle, dispatch, publishing, plugins, dependency injection.
export { createWorker, Worker } from './worker.js';
export type { StopOptions, StopResult } from './worker.js';
export { attemptOf, defineJob, Job, requireJobType } from './job.js';
export type { JobType, JobTypeOptions, OutgoingMessage } from './job.js';
export { requireOptions } from './checks.js';
export { handler } from './handler.js';
export type { Handler, HandlerClass, HandlerDefinition, HandlerFunction, HandlerInfo } from './handler.js';
export { failed } from './middleware.js';
export { ack, deadLetter, done, isOutcome, postpone, requeue, retry } from './outcome.js';
export type { Ack, DeadLetter, Outcome, Requeue, Retry } from './outcome.js';
export { backoff, decided, exponential, fixed, linear, never, perError } from './retry.js';
export type { Backoff, RetryPolicy } from './retry.js';
export type { Awaitable, Consume, Plugin, Publish } from './plugin.js';
export { WORKER_OPTIONS } from './options.js';
export type { HandlerOptions, PublishBuffer, PublishOptions, ReconnectOptions, WorkerOptions } from './options.js';
export { deadLetterQueue, Topology } from './topology.js';
export type {
  BindingOptions,
  DeadLetterOptions,
  Exchange,
  ExchangeOptions,
  ExchangeType,
  Binding,
  Queue,
  QueueOptions,
} from './topology.js';
export { HEADERS, producerHeaders, withoutJourney } from './message.js';
export type { Delivery, Headers, Message, MessageProperties } from './message.js';
export type { Connection, Consumer, ConsumerOptions, QueueDepth } from './connection.js';
export { capabilitiesOf } from './amqp/capabilities.js';
export type { Capabilities } from './amqp/capabilities.js';
export { channelFailure, refusal } from './amqp/failure.js';
export type { Connect } from './amqp/connect.js';
export { external } from './amqp/connect.js';
export type { Codec } from './codec.js';
export { CodecRegistry } from './codec.js';
export {
  CLOCK,
  CODECS,
  CONNECTION,
  createContainer,
  DISPATCHER,
  EVENTS,
  inject,
  injectable,
  LOGGER,
  PLUGINS,
  PUBLISHER,
  registerDefault,
  STOPPING,
  token,
  TOPOLOGY,
} from './container.js';
export type { DependencyContainer, Token } from './container.js';
export { Dispatcher } from './dispatcher.js';
export { PluginRegistry } from './plugin-registry.js';
export { Publisher } from './publisher.js';
export { SystemClock, sleepOn } from './clock.js';
export type { Clock } from './clock.js';
export { milliseconds } from './duration.js';
export type { Duration } from './duration.js';
export { redactUrl, silentLogger } from './logger.js';
export type { Logger } from './logger.js';
export { WorkerEvents } from './events.js';
export type { WorkerEventMap } from './events.js';
export type { JobEvent, PublishEvent, SettleEvent } from './diagnostics.js';
export * from './errors.js';
