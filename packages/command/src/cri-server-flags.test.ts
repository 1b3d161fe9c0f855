import { expect, test } from 'vitest';
import { addCriServerFlags, addOciFlags, componentCommand, criServerConfig, type CriServerFlags, ociConfig, type OciFlags } from './index.js';

const parse = (...args: string[]) => {
  const command = addOciFlags(addCriServerFlags(componentCommand('ticker', 'ticks'), { name: 'ticker' }));
  return command
    .configureOutput({ writeErr: () => {} })
    .action(() => {})
    .parse(args, { from: 'user' })
    .opts<CriServerFlags & OciFlags>();
};

test('folders are named after the server, and CNI is where everybody has it', () => {
  const flags = parse('--listen', 'unix:///run/cri.sock');
  expect(criServerConfig(flags)).toEqual({
    endpoint: 'unix:///run/cri.sock',
    root: '/var/lib/coxswain/ticker',
    state: '/run/coxswain/ticker',
    cniConfDir: '/etc/cni/net.d',
    cniBinDirs: ['/opt/cni/bin', '/usr/lib/cni'],
  });
  expect(ociConfig(flags)).toEqual({ insecureRegistries: [], registryMirrors: [] });
});

test('lists are taken apart', () => {
  const flags = parse('--listen=unix:///s', '--cni-bin-dirs=/a,/b', '--runtimes=runc, kata=/bin/kata', '--registry-mirrors=*=https://m');
  expect(criServerConfig(flags).cniBinDirs).toEqual(['/a', '/b']);
  expect(ociConfig(flags)).toEqual({ runtimes: ['runc', 'kata=/bin/kata'], insecureRegistries: [], registryMirrors: ['*=https://m'] });
});

test('where to serve must be said', () => {
  expect(() => parse()).toThrow("required option '--listen <socket>' not specified");
});
