import { expect, it } from 'vitest';
import { withSystemFolders } from './system-path.js';

it.each([
  ['/usr/bin:/bin', '/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'],
  ['/usr/sbin:/own', '/usr/sbin:/own:/usr/local/sbin:/sbin'],
  [undefined, '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'],
])('%s', (path, complete) => expect(withSystemFolders(path)).toBe(complete));
