import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ClusterFixture } from '../cluster-fixture.js';
import { ApiAccess } from './api-access.js';
import { type Check, type ClusterAccess, runCheck } from './check.js';

const kubectlProgram = fileURLToPath(new URL('../../../../.cache/bin/kubectl', import.meta.url));

/** One cluster for all the checks, which run beside each other in namespaces of their own; the serial ones follow. */
export function conformanceSuite(name: string, checks: readonly Check[]): void {
  // Enough to wait beside each other, and few enough that each gets on: checks have a time limit each.
  vi.setConfig({ maxConcurrency: 6, testTimeout: 300_000 });
  describe(`conformance of ${name}`, () => {
    const cluster = new ClusterFixture(`conf-${name}`);
    let access: ClusterAccess & { readonly api: ApiAccess };
    beforeAll(async () => {
      await cluster.up();
      await cluster.loadGuestbook();
      access = { api: new ApiAccess(join(cluster.folder, 'kubeconfig')), kubectlProgram, env: cluster.env };
    });
    afterAll(async () => {
      access?.api[Symbol.dispose]();
      await cluster[Symbol.asyncDispose]();
    });
    const run = (check: Check) => () => expect(runCheck(access, check)).resolves.toBeUndefined();
    for (const check of checks) if (!check.serial) it.concurrent(check.name, run(check));
    for (const check of checks) if (check.serial) it(check.name, run(check));
  });
}
