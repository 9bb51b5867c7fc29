/** Messages that wait for their confirm: a bounded number, of bounded size. */
export class Window {
  readonly #messages: number;
  readonly #bytes: number;
  readonly #open = new Set<Promise<void>>();
  #openBytes = 0;
  #onRoom: (() => void) | undefined;

  constructor({ messages, bytes }: { readonly messages: number; readonly bytes: number }) {
    this.#messages = messages;
    this.#bytes = bytes;
  }

  /** Takes a message of so many bytes; `confirmed` must not reject. Resolves when there is room for the next one. */
  async add(confirmed: Promise<void>, bytes: number): Promise<void> {
    this.#openBytes += bytes;
    const open: Promise<void> = confirmed.finally(() => {
      this.#open.delete(open);
      this.#openBytes -= bytes;
      this.#onRoom?.();
    });
    this.#open.add(open);
    while (this.#open.size >= this.#messages || (this.#openBytes >= this.#bytes && this.#open.size > 0)) {
      await new Promise<void>((resolve) => (this.#onRoom = resolve));
    }
  }

  /** Resolves when all are confirmed. */
  async empty(): Promise<void> {
    await Promise.all(this.#open);
  }
}
