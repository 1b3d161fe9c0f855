import { expect, test } from 'vitest';
import { buildBusyboxImage } from './busybox-image.js';

test('who has no busybox is told what to install', async () => {
  await expect(buildBusyboxImage({ busybox: '/nowhere/busybox' })).rejects.toThrow(
    "/nowhere/busybox is not there: install Debian's busybox-static (apt-get install busybox-static)",
  );
});
