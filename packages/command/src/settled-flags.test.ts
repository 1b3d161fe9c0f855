import { describe, expect, it } from 'vitest';
import { addSettledFlags, componentCommand, featureGates } from './index.js';

const parse = (args: string[]) => {
  const command = componentCommand('ticker', 'ticks')
    .addOption(featureGates({ Ticks: true, Tocks: false }))
    .configureOutput({ writeErr: () => {} })
    .action(() => {});
  addSettledFlags(command, {
    'allow-ticks': { takes: ['true'], because: 'it always ticks' },
    'tick-backend': { takes: ['', 'spring'], because: 'a spring drives it' },
    'old-ticks': { takes: 'any', because: 'no longer does anything' },
  });
  return command.parse(args, { from: 'user' });
};

describe('flags with one answer', () => {
  it.each([
    [['--allow-ticks']],
    [['--allow-ticks=true']],
    [['--tick-backend=spring']],
    [['--tick-backend', 'spring']],
    [['--old-ticks=42', '--old-ticks']],
    [['--feature-gates=Ticks=true,Tocks=false']],
    [['--feature-gates', 'Ticks=true', '--feature-gates', 'Tocks=false']],
  ])('%j', (args) => expect(() => parse(args)).not.toThrow());

  it.each([
    [['--allow-ticks=false'], "option '--allow-ticks [value]' argument 'false' is invalid. it always ticks (takes true)."],
    [['--tick-backend=quartz'], 'a spring drives it'],
    [['--feature-gates=Clicks=true'], 'unrecognized feature gate: Clicks'],
    [['--feature-gates=Ticks=false'], 'cannot set feature gate Ticks to false: here it is true'],
    [['--feature-gates=Ticks'], '"Ticks" is not gate=true or gate=false'],
  ])('%j is refused', (args, message) => expect(() => parse(args)).toThrow(message));

  it('help keeps them apart', () => {
    const help = parse([]).helpInformation();
    expect(help.indexOf('--allow-ticks')).toBeGreaterThan(help.indexOf("Upstream's flags with one answer here:"));
  });
});
