import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeForgottenLogs } from './forgotten-logs.js';

let top: string;
beforeEach(() => (top = mkdtempSync(join(tmpdir(), 'forgotten-logs-'))));
afterEach(() => rmSync(top, { recursive: true }));

test('logs of pods that are gone are removed with their links, dangling or not, and nothing else', async () => {
  const paths = { podLogsDir: join(top, 'pods'), containerLogsDir: join(top, 'containers') };
  await removeForgottenLogs(paths, () => false);
  mkdirSync(paths.containerLogsDir, { recursive: true });
  const pod = (folder: string, withLog = true) => {
    const log = join(paths.podLogsDir, folder, 'c', '0.log');
    mkdirSync(join(log, '..'), { recursive: true });
    if (withLog) writeFileSync(log, 'x');
    symlinkSync(log, join(paths.containerLogsDir, `${folder}.log`));
  };
  pod('ns_here_uid-1');
  pod('ns_new_uid-1', false);
  pod('ns_gone_uid-2');
  pod('ns_lost_uid-3', false);
  rmSync(join(paths.podLogsDir, 'ns_lost_uid-3'), { recursive: true });
  mkdirSync(join(paths.podLogsDir, 'someone-elses'));
  symlinkSync('/nowhere/ns_gone_uid-2/c/0.log', join(paths.containerLogsDir, 'elsewhere.log'));
  writeFileSync(join(paths.containerLogsDir, 'file.log'), 'x');
  await removeForgottenLogs(paths, (uid) => uid === 'uid-1');
  expect(readdirSync(paths.podLogsDir)).toEqual(['ns_here_uid-1', 'ns_new_uid-1', 'someone-elses']);
  expect(readdirSync(paths.containerLogsDir)).toEqual(['elsewhere.log', 'file.log', 'ns_here_uid-1.log', 'ns_new_uid-1.log']);
});
