import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clientCommand, componentCommand, list, onOff, Option, pairs, portNumber, readFlagFile, repeatable, seconds, wholeNumber } from './index.js';

const parse = (args: string[]) => {
  const command = componentCommand('ticker', 'ticks')
    .addOption(onOff('leader-elect', 'act only as leader', true))
    .addOption(onOff('cleanup', 'clean up', false))
    .option('--period <duration>', 'how often', seconds, 40)
    .option('--port <port>', 'where', portNumber)
    .option('--count <count>', 'how many', wholeNumber)
    .option('--labels <labels>', 'labels', pairs)
    .option('--names <names>', 'names', list)
    .addOption(new Option('--issuer <url>').argParser(repeatable))
    .configureOutput({ writeErr: () => {} })
    .action(() => {});
  return command.parse(args, { from: 'user' }).opts();
};

describe('flags as upstream writes them', () => {
  it.each([
    [['--leader-elect=false'], { leaderElect: false }],
    [['--leader-elect'], { leaderElect: true }],
    [['--cleanup=true'], { cleanup: true }],
    [['--cleanup'], { cleanup: true }],
    [[], { leaderElect: true, cleanup: false, period: 40, logLevel: 'info' }],
    [['--period=1m30s'], { period: 90 }],
    [['--period', '1500ms'], { period: 1.5 }],
    [['--period', '12'], { period: 12 }],
    [['--port', '0'], { port: 0 }],
    [['--labels', 'a=b,c='], { labels: { a: 'b', c: '' } }],
    [['--names', 'a, b'], { names: ['a', 'b'] }],
    [['--issuer', 'a', '--issuer', 'b,c'], { issuer: 'a,b,c' }],
    [['--v=2'], { logLevel: 'info' }],
    [['-v', '5'], { logLevel: 'debug' }],
  ])('%j', (args, options) => expect(parse(args)).toMatchObject(options));

  it.each([
    [['--nope'], "unknown option '--nope'"],
    [['stray'], 'too many arguments'],
    [['--leader-elect=perhaps'], 'give true or false'],
    [['--period=soon'], 'give a duration such as 40s or 1m30s'],
    [['--port=65536'], 'a port is a number from 0 to 65535'],
    [['--count=-1'], 'give a whole number'],
    [['--labels=a'], '"a" is not key=value'],
    [['--log-level=loud'], 'Allowed choices are debug, info, warn, error'],
  ])('%j is refused', (args, message) => expect(() => parse(args)).toThrow(message));
});

it('a client of the API server says which one', () => {
  const command = clientCommand('client', 'asks')
    .configureOutput({ writeErr: () => {} })
    .action(() => {});
  expect(() => command.parse([], { from: 'user' })).toThrow("required option '--kubeconfig <file>' not specified");
});

it('a file that cannot be read is named with its flag', () => {
  const folder = mkdtempSync(join(tmpdir(), 'command-'));
  try {
    expect(() => readFlagFile('--root-ca-file', join(folder, 'ca.crt'))).toThrow(`--root-ca-file: ${join(folder, 'ca.crt')} cannot be read: ENOENT`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
