#!/usr/bin/env node
import { benchApi } from './api.mjs';
import { benchCni } from './cni.mjs';
import { BenchCluster } from './lib/cluster.mjs';
import { ApiClient } from './lib/http.mjs';
import { figure, printTable } from './lib/table.mjs';
import { benchObjects } from './objects.mjs';
import { benchNetwork } from './network.mjs';
import { benchPods } from './pods.mjs';
import { benchScale } from './scale.mjs';
import { benchScheduler } from './sched.mjs';
import { benchTestCluster } from './test-cluster.mjs';

const chosen = new Set(process.argv.slice(2));
const wanted = (name) => chosen.size === 0 || chosen.has(name);
// A cluster of its own, of two hosts.
if (wanted('network')) await benchNetwork();
if (chosen.size === 1 && chosen.has('network')) {
  printTable();
  process.exit();
}
const cluster = new BenchCluster();
const settle = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const total = (memory) => Object.values(memory).reduce((a, b) => a + b, 0);
const inParts = (memory) =>
  Object.entries(memory)
    .map(([role, mib]) => `${role} ${mib.toFixed(0)}`)
    .join(', ');

async function benchCluster() {
  const first = cluster.up();
  if (wanted('up')) {
    figure('cox up, new cluster', `${(first / 1000).toFixed(2)} s`, '');
    cluster.stop();
    figure('cox up, existing cluster', `${(cluster.up() / 1000).toFixed(2)} s`, '3.3 s (API server alone)');
  }
  const api = new ApiClient(cluster.credentials);
  if (wanted('idle')) {
    await settle(10_000);
    const memory = cluster.memory();
    figure('memory, idle', `${total(memory).toFixed(0)} MiB (${inParts(memory)})`, '724 MiB without proxy and DNS');
  }
  if (wanted('pods')) {
    cluster.loadGuestbook();
    await benchPods(api);
  }
  if (wanted('api')) {
    await benchApi(api);
    const memory = cluster.memory();
    figure('memory of the control plane after the load', `${memory['control-plane'].toFixed(0)} MiB`, '627 MiB');
  }
  if (wanted('sched')) await benchScheduler(api);
  api.close();
}

const clusterless = new Set(['cni', 'scale', 'test', 'objects']);
if (wanted('cni')) benchCni();
if (wanted('test')) await benchTestCluster();
if (wanted('scale')) await benchScale();
if (wanted('objects')) await benchObjects();
if (chosen.size === 0 || [...chosen].some((name) => !clusterless.has(name))) {
  try {
    await benchCluster();
  } finally {
    cluster.remove();
  }
}
printTable();
