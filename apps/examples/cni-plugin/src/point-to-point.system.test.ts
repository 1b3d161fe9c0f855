import 'reflect-metadata';
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execInvoker, inProcessInvoker } from '@coxswain/cni';
import { CniPlugin } from '@coxswain/sdk';
import { type CniSuiteNetwork, cniSuite } from '@coxswain/sdk-testing';
import { build } from 'esbuild';
import { Container } from 'inversify';
import { afterAll, beforeAll } from 'vitest';
import { cniPointToPoint } from './cni-point-to-point.js';

const plugins = ({ dataDir, subnet, gateway, rangeEnd }: CniSuiteNetwork) => [
  { type: 'point-to-point', ipam: { type: 'host-local', dataDir, ranges: [[{ subnet, gateway, ...(rangeEnd ? { rangeEnd } : {}) }]] } },
];

cniSuite({
  name: 'the example in process',
  invoker: async () => {
    const container = new Container();
    await container.load(cniPointToPoint.module({}));
    return inProcessInvoker(container.getAll(CniPlugin));
  },
  plugins,
  versions: ['0.3.1', '1.0.0', '1.1.0'],
});

// As it would be installed: one file, with koffi, which has native parts, beside it.
const bin = mkdtempSync(join(tmpdir(), 'cni-example-'));
afterAll(() => rmSync(bin, { recursive: true, force: true }));
beforeAll(async () => {
  const outfile = join(bin, 'point-to-point.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'bin.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['coxswain-source'],
    external: ['koffi'],
  });
  chmodSync(outfile, 0o755);
  symlinkSync(join(dirname(createRequire(import.meta.url).resolve('@coxswain/linux/package.json')), 'node_modules'), join(bin, 'node_modules'));
  symlinkSync('point-to-point.mjs', join(bin, 'point-to-point'));
});

cniSuite({ name: 'the example as an executable', invoker: () => execInvoker({ path: [bin] }), plugins, versions: ['1.0.0', '1.1.0'] });
