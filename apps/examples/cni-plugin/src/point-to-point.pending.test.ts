import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execInvoker, inProcessInvoker } from '@coxswain/cni';
import { CniPlugin } from '@coxswain/sdk';
import { type CniSuiteNetwork, cniSuite } from '@coxswain/sdk-testing';
import { Container } from 'inversify';
import { afterAll } from 'vitest';
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

// As it would be installed; run from source here.
const bin = mkdtempSync(join(tmpdir(), 'cni-example-'));
afterAll(() => rmSync(bin, { recursive: true, force: true }));
const tsx = createRequire(import.meta.url).resolve('tsx');
writeFileSync(
  join(bin, 'point-to-point'),
  `#!/bin/sh\nexec ${process.execPath} --conditions=coxswain-source --import ${tsx} ${join(import.meta.dirname, 'bin.ts')}\n`,
  { mode: 0o755 },
);

cniSuite({ name: 'the example as an executable', invoker: () => execInvoker({ path: [bin] }), plugins, versions: ['1.0.0', '1.1.0'] });
