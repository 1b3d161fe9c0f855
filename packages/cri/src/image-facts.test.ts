import { expect, test } from 'vitest';
import { imageOwner } from './image-facts.js';

test('the user of an image is root, a number or a name; its group is not said', () => {
  expect([undefined, '', ':7', '1000', '1000:7'].map((user) => imageOwner(user))).toEqual([0n, 0n, 0n, 1000n, 1000n].map((value) => ({ uid: { value } })));
  expect(imageOwner('nobody:nogroup')).toEqual({ username: 'nobody' });
});
