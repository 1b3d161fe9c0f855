import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, eventually, guestbook } from './cluster-fixture.js';
import { otlpReceiver } from './otlp-receiver.js';
import { parsePrometheus } from './prometheus-text.js';

// One cluster, one browser: each test is a task that somebody does in the dashboard.
const cluster = new ClusterFixture('t-dash');
let collector: Awaited<ReturnType<typeof otlpReceiver>>;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let url = '';
let token = '';

/** Where pictures for the documentation go; `COXSWAIN_SCREENSHOTS=1` takes them anew. */
const pictures = process.env['COXSWAIN_SCREENSHOTS'] ? fileURLToPath(new URL('../../../docs/dashboard', import.meta.url)) : undefined;
const CHROMIUM = '/usr/bin/chromium';
const WAIT = { timeout: 30_000 };

async function picture(name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** Chromium ends what it loads when a network link comes or goes, as happens while pods start: then it is opened again. */
async function open(path: string, shows: string): Promise<void> {
  await eventually(
    `${path} shows ${shows}`,
    async () => {
      await page.goto(url + path, { timeout: 10_000 });
      await page.locator(shows).first().waitFor({ timeout: 8000 });
    },
    60_000,
  );
}

const talker = `
apiVersion: v1
kind: Pod
metadata: { name: talker, labels: { app: talker } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: coxswain.local/guestbook:2
    command: [sh, -c, 'i=0; while true; do i=$((i+1)); echo "number $i of the talker"; sleep 1; done']
  - name: second
    image: coxswain.local/guestbook:2
    command: [sh, -c, 'echo the second container speaks; sleep 3600']
`;

const kettles = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: kettles.kitchen.example }
spec:
  group: kitchen.example
  scope: Namespaced
  names: { plural: kettles, singular: kettle, kind: Kettle }
  versions:
  - name: v1
    served: true
    storage: true
    schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { litres: { type: integer } } } } } }
    additionalPrinterColumns: [{ name: Litres, type: integer, jsonPath: .spec.litres }]
`;

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error('Chromium is missing: apt-get install chromium');
  if (pictures) mkdirSync(pictures, { recursive: true });
  collector = await otlpReceiver();
  await cluster.up('--otlp-endpoint', collector.endpoint);
  await cluster.loadGuestbook();
  await cluster.kubectl('apply', '-f', `${guestbook}/manifests/`);
  await cluster.apply(talker);
  await cluster.apply(kettles);
  // Of everything: Chromium breaks connections whenever a network link comes or goes.
  for (const workload of ['deployment/guestbook', 'deployment/guestbook-store']) await cluster.kubectl('rollout', 'status', workload, '--timeout=60s');
  await cluster.kubectl('wait', 'pod', '--all', '--for=condition=Ready', '--timeout=60s');
  await cluster.kubectl('wait', 'crd/kettles.kitchen.example', '--for=condition=Established', '--timeout=60s');
  const said = await cluster.mustCox('dashboard', '--name', cluster.name);
  url = /https:\/\/\S+?(?=\/$|\/\s)/m.exec(said)?.[0] ?? '';
  token = said.split('\n\n')[1]?.trim() ?? '';
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  page = await context.newPage();
  page.setDefaultTimeout(WAIT.timeout);
});
afterAll(async () => {
  await browser?.close();
  await cluster[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
});

/** As a script of another program would ask: no browser, its own headers. */
async function ask(
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: Record<string, string> }> {
  const answer = await context.request.fetch(url + path, {
    method: init.method ?? 'GET',
    headers: init.headers ?? {},
    ...(init.body ? { data: init.body } : {}),
  });
  return { status: answer.status(), headers: answer.headers() };
}

test('a wrong token is refused, the right one signs in; the cookie is out of reach of scripts and other sites', async () => {
  await open('/', 'textarea');
  await picture('sign-in');
  await page.fill('textarea', 'not-a-token');
  await page.click('button[type=submit]');
  await expect.poll(() => page.locator('.problem').textContent(), WAIT).toContain('does not know these credentials');
  await page.fill('textarea', token);
  await page.click('button[type=submit]');
  await page.locator('.topbar').waitFor();
  const cookie = (await context.cookies()).find((c) => c.name.startsWith('__Host-coxswain-'));
  expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict' });

  // With the cookie, but without what only our page knows.
  const form = { 'content-type': 'application/json' };
  const path = '/k8s/api/v1/namespaces/default/configmaps';
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'forged' } });
  expect((await ask(path, { method: 'POST', headers: form, body })).status).toBe(403);
  expect((await ask(path, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  expect((await ask(path, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
  const { headers } = await ask('/');
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
});

test('pods appear in the table by themselves, and can be searched and narrowed by namespace', async () => {
  await open('/r/core/v1/pods', '[role=row] >> text=talker');
  expect(await page.locator('.live').textContent()).toBe('live');
  await cluster.apply(talker.replace('name: talker', 'name: newcomer').replace('app: talker', 'app: newcomer'));
  await page.locator('[role=row]', { hasText: 'newcomer' }).waitFor();
  await page.locator('[role=row]', { hasText: 'newcomer' }).locator('text=Running').waitFor();
  await picture('pods');
  await page.getByLabel('Search in the list').fill('newcomer');
  await expect.poll(() => page.locator('[role=row]').count(), WAIT).toBe(2);
  await cluster.kubectl('delete', 'pod', 'newcomer', '--now');
  await page.locator('text=Nothing matches').waitFor();
  await page.getByLabel('Search in the list').fill('');
  await page.getByLabel('Namespace').selectOption('kube-system');
  await page.locator('text=Nothing here').waitFor();
  await page.getByLabel('Namespace').selectOption('');
});

test('the keyboard alone goes to a list and opens a row', async () => {
  await open('/', '.topbar');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('deploy');
  await page.keyboard.press('Enter');
  await page.locator('[role=grid] >> text=guestbook-store').waitFor();
  await page.locator('[role=grid]').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('h1 >> text=guestbook').waitFor();
  await expect.poll(() => page.locator('.pods [role=row]').count(), WAIT).toBe(4);
  await picture('deployment');
});

test('custom resources have their own columns; one is created, edited with a conflict shown, forced, and deleted', async () => {
  await open('/create', '.cm-content');
  const write = async (yaml: string) => {
    await page.locator('.cm-content').click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(yaml);
  };
  const kettle = (litres: number) =>
    `apiVersion: kitchen.example/v1\nkind: Kettle\nmetadata:\n  name: whistler\n  namespace: default\nspec:\n  litres: ${litres}\n`;
  await write(kettle(2));
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.locator('.outcomes a >> text=Kettle whistler created').click();
  await page.getByRole('tab', { name: 'YAML' }).click();
  await page.locator('.cm-content >> text=litres').waitFor();

  await cluster.apply(kettle(3));
  await page.locator('.cm-line', { hasText: 'litres: 3' }).waitFor();
  await write(kettle(5));
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await page.locator('.failed >> text=conflict').first().waitFor();
  await picture('conflict');
  await page.getByRole('button', { name: 'Apply anyway' }).click();
  await page.locator('[role=status] >> text=Applied').waitFor();
  expect((await cluster.json<{ spec: { litres: number } }>('kettle', 'whistler')).spec.litres).toBe(5);

  await open('/r/kitchen.example/v1/kettles', '[role=columnheader] >> text=Litres');
  const row = page.locator('[role=row]', { hasText: 'whistler' });
  await row.waitFor();
  await picture('custom-resources');
  await row.click();
  // The connection breaks before the first answer, as when a laptop changes its network.
  let broken = 0;
  await page.route('**/kettles/whistler', async (route) => {
    if (route.request().method() === 'DELETE' && broken++ === 0) await route.abort('connectionreset');
    else await route.continue();
  });
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.locator('.pill >> text=Deleted').waitFor();
  expect(broken).toBe(2);
  await page.unrouteAll({ behavior: 'wait' });
});

test('logs follow, of the container chosen; a search finds what was collected', async () => {
  await open('/r/core/v1/pods/default/talker?tab=logs', '.log >> text=of the talker');
  const lines = () => page.locator('[role=status]', { hasText: 'lines' }).textContent();
  const before = Number.parseInt((await lines()) ?? '', 10);
  await expect.poll(async () => Number.parseInt((await lines()) ?? '', 10), WAIT).toBeGreaterThan(before);
  await picture('logs');
  await page.getByLabel('Container').selectOption('second');
  await page.locator('.log >> text=the second container speaks').waitFor();
  await page.getByLabel('Container').selectOption('main');
  await page.getByLabel('Search in the logs').fill('number 1 of');
  await page.getByLabel('Search in the logs').press('Enter');
  await expect.poll(lines, WAIT).toContain('1 lines found');

  await open('/logs', 'form');
  await page.getByLabel('Pattern').fill('number [12] of');
  await page.getByLabel('Label selector').fill('app=talker');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect.poll(() => page.locator('.log > div:not([style])').count(), WAIT).toBe(2);
  await picture('log-search');
});

test('cox logs searches the same, and says what is wrong with a question', async () => {
  const found = await cluster.mustCox('logs', '--name', cluster.name, '--selector', 'app=talker', '--since', '10m', '--grep', 'number 1 of');
  expect(found).toMatch(/^\S+Z default\/talker\/main number 1 of the talker\n$/);
  const wrong = await cluster.cox(['logs', '--name', cluster.name, '--since', 'yesterday']);
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.stderr).toContain('since "yesterday" is not a duration');
});

test('the collector that cox up names gets the logs of containers, by OTLP', async () => {
  const first = await eventually('the first line is at the collector', () => {
    const found = collector.logs.find(({ text }) => text === 'number 1 of the talker');
    if (!found) throw new Error(`it has ${collector.logs.length} lines`);
    return found;
  });
  expect(first.resource).toMatchObject({
    'k8s.cluster.name': cluster.name,
    'k8s.node.name': cluster.config.nodeName,
    'k8s.namespace.name': 'default',
    'k8s.pod.name': 'talker',
    'k8s.container.name': 'main',
    'k8s.pod.label.app': 'talker',
  });
});

test('a terminal runs commands in the container', async () => {
  await open('/r/core/v1/pods/default/talker?tab=terminal', '.pill >> text=Connected');
  await page.getByRole('group', { name: 'Terminal in main' }).click();
  await page.keyboard.type('echo $((6 * 7)) $(hostname)\n');
  await page.locator('.xterm-rows >> text=42 talker').waitFor();
  await picture('terminal');
  await page.keyboard.type('exit\n');
  await expect.poll(() => page.locator('[role=status]').allTextContents(), WAIT).toContainEqual(expect.stringContaining('Ended'));
});

test('events of an object are listed', async () => {
  await open('/r/core/v1/pods/default/talker?tab=events', '.events >> text=Started');
  await expect.poll(() => page.locator('.events').textContent(), WAIT).toContain('Successfully assigned default/talker');
  await picture('events');
});

test('the load of the node is drawn from its kubelet', async () => {
  await open('/nodes', '.node-load >> text=talker');
  await expect.poll(() => page.locator('figcaption b').first().textContent(), WAIT).not.toBe('');
  await page.locator('.chart canvas').nth(1).waitFor();
  // A line wants some readings, one every five seconds.
  if (pictures) await page.waitForTimeout(40_000);
  await picture('load');
});

test('the architecture shows real calls, and a component its numbers, log and pods', async () => {
  await open('/architecture', '[data-part=apiserver]');
  // What kubectl asks now moves along the edge from the clients.
  const calls = cluster.kubectl('get', 'pods', '-A');
  await page.locator('.dot').first().waitFor({ state: 'attached' });
  await calls;
  await eventually('calls of kubectl are drawn', async () => {
    await cluster.kubectl('get', 'nodes');
    const rates = await page.locator('[data-id="clients>apiserver"] .dot').count();
    if (rates === 0) throw new Error('no dot between the clients and the API server');
  });
  await picture('architecture');
  await page.locator('[data-part=apiserver]').click();
  await page.locator('.panel >> text=Watches').waitFor();
  await page.locator('.panel .log > div:not([style])').first().waitFor();
  // All of it stays in sight beside the panel.
  await expect
    .poll(async () => {
      const [panel, dns] = await Promise.all([page.locator('.panel').boundingBox(), page.locator('[data-part=dns]').boundingBox()]);
      return panel && dns ? dns.x + dns.width < panel.x : false;
    }, WAIT)
    .toBe(true);
  await picture('architecture-component');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.locator('[data-part^="pods@"]').focus();
  await page.keyboard.press('Enter');
  await page.locator('.panel [role=row]', { hasText: 'talker' }).locator('text=Running').click({ trial: true });
  await page.getByRole('button', { name: 'Dark colours' }).click();
  await expect.poll(() => page.evaluate('document.documentElement.dataset.theme'), WAIT).toBe('dark');
  await picture('architecture-dark');
});

test('a small window has everything: the sidebar behind a button, nothing cut off at the right', async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open('/r/core/v1/pods', '[role=row] >> text=talker');
  const cutOff = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
  expect(await cutOff()).toBe(0);
  const sidebar = page.getByRole('navigation', { name: 'Resources' });
  await expect.poll(() => sidebar.isVisible(), WAIT).toBe(false);
  await page.getByRole('button', { name: 'Resources' }).click();
  await sidebar.getByRole('link', { name: 'Services', exact: true }).click();
  await page.getByRole('heading', { name: 'Services', exact: true }).waitFor();
  await expect.poll(() => sidebar.isVisible(), WAIT).toBe(false);
  await page.locator('[role=row]', { hasText: 'guestbook' }).first().waitFor();
  expect(await cutOff()).toBe(0);
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('a thousand rows scroll with a few dozen in the document', async () => {
  await cluster.kubectl('create', 'namespace', 'crowd');
  await eventually('the namespace takes objects', () => cluster.kubectl('get', 'serviceaccount', 'default', '-n', 'crowd'));
  // kubectl makes one after the other, fifty a second at most.
  const { configMaps } = new KubeClient({ transport: transportFromKubeconfig({ path: cluster.env['KUBECONFIG'] as string }) }).api;
  const names = Array.from({ length: 1000 }, (_, i) => `many-${i}`).values();
  const makeSome = async () => {
    for (const name of names) await configMaps('crowd').create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  };
  await Promise.all(Array.from({ length: 16 }, makeSome));
  await open('/r/core/v1/configmaps', '[role=row]');
  await page.getByLabel('Namespace').selectOption('crowd');
  await expect.poll(() => page.locator('.count').textContent(), WAIT).toBe('1001');
  expect(await page.locator('[role=row]').count()).toBeLessThan(80);
  await page.locator('[role=grid]').focus();
  await page.keyboard.press('End');
  await page.locator('[role=row]', { hasText: 'many-999' }).waitFor();
  await page.getByLabel('Namespace').selectOption('');
});

test('somebody with few rights sees what they may, and why not the rest', async () => {
  await cluster.kubectl('create', 'serviceaccount', 'guest');
  await cluster.kubectl('create', 'rolebinding', 'guest', '--clusterrole=view', '--serviceaccount=default:guest');
  const guest = (await cluster.kubectl('create', 'token', 'guest')).trim();
  await page.locator('.user summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.locator('textarea').fill(guest);
  await page.click('button[type=submit]');
  await page.locator('.topbar').waitFor();
  await open('/r/core/v1/secrets', '[role=alert]');
  expect(await page.locator('[role=alert]').first().textContent()).toContain('cannot list resource "secrets"');
  await page.getByLabel('Namespace').fill('default');
  await page.getByLabel('Namespace').press('Enter');
  await open('/r/core/v1/pods', '[role=row] >> text=talker');
  // A client certificate from a kubeconfig signs in too.
  await page.locator('.user summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('tab', { name: 'Kubeconfig' }).click();
  await page.setInputFiles('input[name=kubeconfig]', cluster.env['KUBECONFIG'] as string);
  await page.click('button[type=submit]');
  await expect.poll(() => page.locator('.user summary').textContent(), WAIT).toBe('kubernetes-admin');
});

const everywhere = {
  process_cpu_seconds_total: 'counter',
  process_resident_memory_bytes: 'gauge',
  process_start_time_seconds: 'gauge',
  process_open_fds: 'gauge',
  nodejs_heap_size_used_bytes: 'gauge',
  nodejs_version_info: 'gauge',
};
const client = { rest_client_requests_total: 'counter', rest_client_request_duration_seconds: 'histogram' };
const named: Record<string, Record<string, string>> = {
  apiserver: {
    ...everywhere,
    apiserver_request_total: 'counter',
    apiserver_request_duration_seconds: 'histogram',
    apiserver_current_inflight_requests: 'gauge',
    apiserver_longrunning_requests: 'gauge',
    apiserver_storage_objects: 'gauge',
    apiserver_watch_events_total: 'counter',
    etcd_request_duration_seconds: 'histogram',
    etcd_requests_total: 'counter',
  },
  kubelet: {
    ...everywhere,
    ...client,
    kubelet_running_pods: 'gauge',
    kubelet_running_containers: 'gauge',
    kubelet_pod_start_duration_seconds: 'histogram',
    kubelet_runtime_operations_total: 'counter',
    kubelet_runtime_operations_duration_seconds: 'histogram',
    kubelet_node_name: 'gauge',
  },
  'kubelet/resource': {
    node_cpu_usage_seconds_total: 'counter',
    node_memory_working_set_bytes: 'gauge',
    pod_cpu_usage_seconds_total: 'counter',
    pod_memory_working_set_bytes: 'gauge',
    container_cpu_usage_seconds_total: 'counter',
    container_memory_working_set_bytes: 'gauge',
    container_start_time_seconds: 'gauge',
    resource_scrape_error: 'gauge',
  },
  'kubelet/cadvisor': { container_cpu_usage_seconds_total: 'counter', container_memory_working_set_bytes: 'gauge' },
  'kubelet/probes': { prober_probe_total: 'counter' },
  'kube-scheduler': {
    ...everywhere,
    ...client,
    scheduler_schedule_attempts_total: 'counter',
    scheduler_pending_pods: 'gauge',
    scheduler_scheduling_attempt_duration_seconds: 'histogram',
  },
  'kube-controller-manager': {
    ...everywhere,
    ...client,
    workqueue_depth: 'gauge',
    workqueue_adds_total: 'counter',
    workqueue_queue_duration_seconds: 'histogram',
    workqueue_work_duration_seconds: 'histogram',
    workqueue_retries_total: 'counter',
  },
  'kube-proxy': {
    ...everywhere,
    ...client,
    kubeproxy_sync_proxy_rules_duration_seconds: 'histogram',
    kubeproxy_sync_proxy_rules_last_timestamp_seconds: 'gauge',
  },
  coredns: {
    ...everywhere,
    ...client,
    coredns_dns_requests_total: 'counter',
    coredns_dns_request_duration_seconds: 'histogram',
    coredns_cache_entries: 'gauge',
  },
};

test.each(Object.keys(named))('metrics of %s parse and have their names and types', async (component) => {
  const [name, part] = component.split('/');
  const { ports, nodeIP, nodeName } = cluster.config;
  const open = (host: string, port: number) => async () => (await fetch(`http://${host}:${port}/metrics`)).text();
  const places: Record<string, () => Promise<string>> = {
    apiserver: () => cluster.kubectl('get', '--raw', '/metrics'),
    kubelet: () => cluster.kubectl('get', '--raw', `/api/v1/nodes/${nodeName}/proxy/metrics${part ? `/${part}` : ''}`),
    'kube-scheduler': open('127.0.0.1', ports.scheduler),
    'kube-controller-manager': open('127.0.0.1', ports.controllerManager),
    'kube-proxy': open('127.0.0.1', ports.proxyHealth),
    coredns: open(nodeIP, ports.dnsHealth),
  };
  const families = parsePrometheus(await (places[name as string] as () => Promise<string>)());
  const found = Object.fromEntries(Object.keys(named[component] as object).map((metric) => [metric, families.get(metric)?.type]));
  expect(found).toEqual(named[component]);
  for (const metric of Object.keys(named[component] as object)) expect(families.get(metric)?.samples, metric).toBeGreaterThan(0);
});
