import test from 'ava';
import { LentClient } from '../src/lent-client.js';

class Client {
  readonly #asked: string[] = [];

  async query(text: string): Promise<{ rows: Array<Record<string, unknown>>; rowCount: number | null }> {
    this.#asked.push(text);
    return { rows: [{ asked: this.#asked.length }], rowCount: 1 };
  }

  get asked(): readonly string[] {
    return this.#asked;
  }
}

test('A lent client is the client, until it is taken back.', async (t) => {
  const client = new Client();
  const lent = new LentClient(client);
  t.true(lent.client instanceof Client);
  t.deepEqual((await lent.client.query('SELECT 1')).rows, [{ asked: 1 }]);
  lent.takeBack();
  await t.throwsAsync(lent.client.query('SELECT 2'), { code: 'ERR_TRANSACTION_OVER' });
  t.deepEqual(client.asked, ['SELECT 1']);
});
