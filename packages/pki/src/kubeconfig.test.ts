import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubeconfigYaml, mergeIntoKubeconfig, mergeKubeconfigFile, removeFromKubeconfig, removeFromKubeconfigFile } from './index.js';

const entry = {
  name: 'cox-default',
  cluster: { server: 'https://127.0.0.1:6443', certificateAuthority: 'CA' },
  user: { clientCertificate: 'C', clientKey: 'K' },
};
const theirs = `# mine, hands off
apiVersion: v1
kind: Config
current-context: work
clusters:
- name: work # the real one
  cluster: {server: "https://work"}
contexts:
- name: work
  context: {cluster: work, user: me}
users:
- name: me
  user: {token: abc}
`;

test('merging keeps what was there and replaces its own entry', () => {
  const once = mergeIntoKubeconfig(theirs, entry);
  expect(once).toContain('# mine, hands off');
  expect(once).toContain('# the real one');
  const value = parse(mergeIntoKubeconfig(once, { ...entry, cluster: { ...entry.cluster, server: 'https://127.0.0.1:7443' } })) as {
    clusters: { name: string; cluster: { server: string } }[];
  };
  expect(value).toMatchObject({ 'current-context': 'cox-default' });
  expect(value.clusters.map((c) => `${c.name} ${c.cluster.server}`)).toEqual(['work https://work', 'cox-default https://127.0.0.1:7443']);
});

test.each(['cox', 'true', 'No', '.nan', '1e3', 'a b', 'a: b', 'ein "Fu\u00df"', 'x#y', 'user@host', '- a'])(
  'a kubeconfig of one entry reads back: %j',
  (name) => {
    const server = 'https://[fd00::1]:6443/clusters/a';
    expect(parse(kubeconfigYaml({ name, cluster: { server, certificateAuthority: 'CA' }, user: { token: '0' }, namespace: 'y' }))).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name, cluster: { 'certificate-authority-data': 'Q0E=', server } }],
      users: [{ name, user: { token: '0' } }],
      contexts: [{ name, context: { cluster: name, user: name, namespace: 'y' } }],
    });
  },
);

test('removing undoes merging, and unsets the current context only when it is ours', () => {
  const value = parse(removeFromKubeconfig(mergeIntoKubeconfig(theirs, entry), 'cox-default')) as object;
  expect(value).toEqual({ ...(parse(theirs) as object), 'current-context': '' });
  expect(removeFromKubeconfig(theirs, 'cox-default')).toContain('current-context: work');
});

test('a new file is a whole kubeconfig', () => {
  expect(parse(kubeconfigYaml(entry))).toEqual(parse(mergeIntoKubeconfig('', entry)));
});

test('a file that is no kubeconfig is named and left alone; a link stays a link; a lock is waited for', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  try {
    const file = join(dir, 'config');
    writeFileSync(file, 'a: [1');
    expect(() => mergeKubeconfigFile(file, entry)).toThrow(`${file}: not valid YAML`);
    expect(readFileSync(file, 'utf8')).toBe('a: [1');
    expect(existsSync(`${file}.lock`)).toBe(false);
    writeFileSync(file, theirs);
    const link = join(dir, 'link');
    symlinkSync(file, link);
    mergeKubeconfigFile(link, entry);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain('cox-default');
    writeFileSync(`${file}.lock`, '');
    expect(() => removeFromKubeconfigFile(file, entry.name)).toThrow('is being changed by another program');
    const unlock = spawn('sh', ['-c', `sleep 0.3; rm ${file}.lock`]);
    removeFromKubeconfigFile(file, entry.name);
    expect(readFileSync(file, 'utf8')).not.toContain('cox-default');
    await once(unlock, 'exit');
    expect(() => mergeKubeconfigFile(dir, entry)).toThrow(
      expect.objectContaining({ name: 'KubeconfigError', message: expect.stringContaining(`${dir}: EISDIR`) }),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
