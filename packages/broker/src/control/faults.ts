/** What happens to publisher confirms instead of being sent, on behalf of a test. */
export type ConfirmFault =
  | { readonly kind: 'lose' }
  | { readonly kind: 'nack' }
  | { readonly kind: 'delay'; readonly milliseconds: number };

/** Misbehaviour that a test has asked for. */
export interface Faults {
  confirms: ConfirmFault | undefined;
  /** Nothing is read, written or answered. */
  frozen: boolean;
}
