import { expect, it } from 'vitest';
import { SerialQueue } from './serial-queue.js';

it('one after the other, in order, whatever fails', async () => {
  const queue = new SerialQueue();
  const events: string[] = [];
  const work = (name: string) =>
    queue.run(async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
      if (name === 'a') throw new Error('a fails');
      return name;
    });
  expect(await Promise.allSettled([work('a'), work('b')])).toMatchObject([{ reason: { message: 'a fails' } }, { value: 'b' }]);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});
