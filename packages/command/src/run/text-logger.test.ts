import { expect, it } from 'vitest';
import { textLine, textLogger } from './text-logger.js';

it('writes as klog does', () => {
  const line = textLine(
    'warn',
    'kube-proxy',
    'went "away"',
    { node: 'a b', tries: 3, err: new Error('no\nroute'), of: { x: [1] } },
    new Date(2026, 10, 3, 4, 5, 6, 7),
  );
  expect(line).toBe(
    `W1103 04:05:06.007000 ${String(process.pid).padStart(7)} kube-proxy] "went \\"away\\"" node="a b" tries=3 err="no\\nroute" of={"x":[1]}\n`,
  );
});

it('below its level nothing, and a child says what it is about', () => {
  const lines: string[] = [];
  const logger = textLogger('info', 'x', (line) => lines.push(line));
  logger.debug('unsaid');
  logger.child({ pod: 'p' }).error('said', { n: 1 });
  expect(lines).toEqual([expect.stringMatching(/^E.* x\] "said" pod="p" n=1\n$/)]);
});

it('outlives a log that cannot be written', () => {
  const logger = textLogger('info', 'x', () => {
    throw new Error('ENOSPC');
  });
  expect(() => logger.info('said')).not.toThrow();
});

it('says more or less when it is told to, as do its children', () => {
  const lines: string[] = [];
  const logger = textLogger('warn', 'x', (line) => lines.push(line));
  const child = logger.child({ pod: 'p' });
  const said = () => {
    lines.length = 0;
    child.debug('fine');
    child.info('plain');
    child.warn('bad');
    return lines.map((line) => /"(\w+)"/.exec(line)?.[1]);
  };
  expect(said()).toEqual(['bad']);
  logger.setVerbosity?.(4);
  expect(said()).toEqual(['fine', 'plain', 'bad']);
  child.setVerbosity?.(2);
  expect(said()).toEqual(['bad']);
  const chatty = textLogger('debug', 'x', (line) => lines.push(line));
  chatty.setVerbosity?.(0);
  lines.length = 0;
  chatty.debug('fine');
  chatty.info('plain');
  expect(lines).toEqual([expect.stringContaining('"plain"')]);
});
