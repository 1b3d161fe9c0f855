import { silentLogger } from '@coxswain/sdk';
import { expect, it } from 'vitest';
import { tlsReloader } from './tls-reloader.js';

it('serves with what has changed, once; files that do not fit are tried again', async () => {
  const first = { cert: 'c1', key: 'k1' };
  let next = first;
  let fits = true;
  const served: string[] = [];
  const warned: string[] = [];
  const look = tlsReloader({
    read: () => Promise.resolve({ ...next }),
    serving: first,
    reload: ({ cert }) => {
      if (!fits) throw new Error('key values mismatch');
      served.push(cert);
    },
    logger: { ...silentLogger, warn: (message) => void warned.push(message) },
  });
  const round = async () => {
    look();
    await new Promise((resolve) => setImmediate(resolve));
  };
  await round();
  next = { cert: 'c2', key: 'k1' };
  fits = false;
  await round();
  fits = true;
  await round();
  await round();
  expect([served, warned]).toEqual([['c2'], ['new certificates cannot be used']]);
});
