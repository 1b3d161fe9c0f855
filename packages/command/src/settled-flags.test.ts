import { describe, expect, it } from 'vitest';
import { addSettledFlags, componentCommand, featureGates, kubernetesFeatureGates } from './index.js';

const parse = (args: string[]) => {
  const command = componentCommand('ticker', 'ticks')
    .addOption(featureGates({ Ticks: true, Tocks: false }))
    .configureOutput({ writeErr: () => {} })
    .action(() => {});
  addSettledFlags(command, {
    'allow-ticks': { takes: ['true'], because: 'it always ticks' },
    'tick-backend': { takes: ['', 'spring'], because: 'a spring drives it' },
    'tick-cache': { takes: /^[1-9]\d*$/, because: 'sized by need, and cannot be turned off' },
    'old-ticks': { takes: 'any', because: 'no longer does anything' },
  });
  return command.parse(args, { from: 'user' });
};

describe('flags with one answer', () => {
  it.each([
    [['--allow-ticks']],
    [['--allow-ticks=true']],
    [['--allow-ticks=True']],
    [['--tick-backend=spring']],
    [['--tick-backend', 'spring']],
    [['--old-ticks=42', '--old-ticks']],
    [['--tick-cache=100', '--tick-backend=']],
    [['--feature-gates=Ticks=True, Tocks=0']],
    [['--feature-gates=']],
    [['', '--allow-ticks=true', '']],
    [['--feature-gates=Ticks=true,Tocks=false']],
    [['--feature-gates', 'Ticks=true', '--feature-gates', 'Tocks=false']],
  ])('%j', (args) => expect(() => parse(args)).not.toThrow());

  it.each([
    [['--allow-ticks=false'], "option '--allow-ticks [value]' argument 'false' is invalid. it always ticks (takes true)."],
    [['--tick-backend=quartz'], 'a spring drives it'],
    [['--tick-backend=quartz'], "(takes '' or spring)"],
    [['--tick-cache=0'], "argument '0' is invalid. sized by need, and cannot be turned off."],
    [['--feature-gates=AllBeta=true'], 'feature gate AllBeta cannot be set'],
    [['stray'], 'too many arguments: ticker takes none, got "stray"'],
    [['--feature-gates=Clicks=true'], 'unrecognized feature gate: Clicks'],
    [['--feature-gates=constructor=true'], 'unrecognized feature gate: constructor'],
    [['--feature-gates=Ticks=false'], 'feature gate Ticks cannot be set to false: here it is true'],
    [['--feature-gates=Ticks'], '"Ticks" is not gate=true or gate=false'],
  ])('%j is refused', (args, message) => expect(() => parse(args)).toThrow(message));

  it('help keeps them apart', () => {
    const help = parse([]).helpInformation();
    expect(help.indexOf('--allow-ticks')).toBeGreaterThan(help.indexOf("Upstream's flags with one answer here:"));
  });
});

it('the gates of Kubernetes can be named as its own scripts name them', () => {
  const option = featureGates(kubernetesFeatureGates);
  expect(option.parseArg?.('AllAlpha=false,SidecarContainers=true', undefined)).toEqual({ AllAlpha: false, SidecarContainers: true });
  expect(() => option.parseArg?.('AllAlpha=true', undefined)).toThrow('here it is false');
});
