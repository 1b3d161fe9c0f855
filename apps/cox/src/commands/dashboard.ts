import { spawn } from 'node:child_process';
import type { KubeClient } from '@coxswain/client';
import { controlPlaneViews } from '@coxswain/cluster';
import { CliError } from '@coxswain/command';
import { adminApi } from '../cluster/admin-api.js';
import { requireCluster } from '../cluster/clusters.js';
import { running } from '../cluster/processes.js';

export interface DashboardOptions {
  readonly name: string;
  readonly open: boolean;
  /** Hours the token is good for. */
  readonly duration: number;
  readonly serviceAccount?: string;
}

const NAMESPACE = 'kube-system';
const ACCOUNT = 'coxswain-dashboard-admin';

/**
 * `cox dashboard`: where the dashboard is, and a token to sign in with. The token is an administrator's unless another service
 * account is named: the dashboard itself has no rights to lend.
 */
export async function dashboard(options: DashboardOptions): Promise<void> {
  const config = requireCluster(options.name);
  // One stands beside each control plane; any will do.
  const home = controlPlaneViews(config).find((view) => running(view, 'node'));
  if (!home) throw new CliError(`cluster "${options.name}" is not running`, `start it with: cox up --name ${options.name}`);
  const url = `https://${home.host ? home.nodeIP : '127.0.0.1'}:${config.ports.dashboard}/`;
  const api = adminApi(config);
  try {
    const [namespace, name] = account(options.serviceAccount);
    if (options.serviceAccount === undefined) await ensureAdmin(api.client);
    const token = await issueToken(api.client, namespace, name, options.duration * 3600);
    console.log(`dashboard  ${url}\nsign in as ${namespace}/${name}, for ${options.duration} h, with this token:\n\n${token}\n`);
    // In the fragment, which browsers keep to themselves.
    if (options.open) await openBrowser(`${url}#token=${token}`, url);
  } finally {
    await api.close();
  }
}

function account(text: string | undefined): readonly [namespace: string, name: string] {
  if (text === undefined) return [NAMESPACE, ACCOUNT];
  const [namespace, name, ...rest] = text.split('/');
  if (!namespace || !name || rest.length > 0) throw new CliError(`--service-account ${text} is not NAMESPACE/NAME`, undefined, 2);
  return [namespace, name];
}

async function ensureAdmin(client: KubeClient): Promise<void> {
  const options = { fieldManager: 'coxswain', force: true };
  await client.api.serviceAccounts(NAMESPACE).apply({ metadata: { name: ACCOUNT, namespace: NAMESPACE } }, options);
  await client.api.clusterRoleBindings().apply(
    {
      metadata: { name: ACCOUNT },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: NAMESPACE }],
    },
    options,
  );
}

async function issueToken(client: KubeClient, namespace: string, name: string, expirationSeconds: number): Promise<string> {
  const { status } = await client.rest.json<{ status?: { token?: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds } },
    resource: { group: '', resource: 'serviceaccounts' },
    name,
  });
  if (!status?.token) throw new CliError(`the API server gave no token for ${namespace}/${name}`);
  return status.token;
}

function openBrowser(url: string, shown: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('xdg-open', [url], { stdio: 'ignore', detached: true });
    child.once('error', () => {
      console.log(`no browser could be opened here; go to ${shown}`);
      resolve();
    });
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
