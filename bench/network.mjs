import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchCluster, root } from './lib/cluster.mjs';
import { figure } from './lib/table.mjs';

const SECONDS = 3;
const ROUNDS = 6;

function run(program, ...args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}
const inside = (netns, ...command) => run('nsenter', `--net=${netns}`, ...command);

/** Gbit/s of one TCP stream between two network namespaces. */
async function throughput(from, to, address) {
  const server = spawn('nsenter', [`--net=${to}`, 'iperf3', '-s', '-1', '--forceflush', '-B', address], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => server.stdout.once('data', resolve));
  const { end } = JSON.parse(inside(from, 'iperf3', '-c', address, '-t', String(SECONDS), '-J'));
  return end.sum_received.bits_per_second / 1e9;
}

/** A VXLAN link between two hosts with nothing else: what the tunnel itself can do. */
function bareLink(here, there, hosts) {
  for (const [i, netns] of [here, there].entries()) {
    const [local, remote] = i === 0 ? [hosts[0].ip, hosts[1].ip] : [hosts[1].ip, hosts[0].ip];
    inside(netns, 'ip', 'link', 'add', 'bare', 'type', 'vxlan', 'id', '4242', 'dstport', '4790', 'local', local, 'remote', remote, 'dev', 'eth0');
    inside(netns, 'ip', 'address', 'add', `192.0.2.${i + 1}/24`, 'dev', 'bare');
    inside(netns, 'ip', 'link', 'set', 'bare', 'mtu', '1450', 'up');
  }
}

/** The network namespace of a pod, by a process of its container. */
function podNetns(containerID) {
  const id = containerID.split('://')[1];
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${entry}/cgroup`, 'utf8').includes(id)) return `/proc/${entry}/ns/net`;
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error(`no process of ${containerID}`);
}

const pods = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: idle }
spec:
  selector: { matchLabels: { app: idle } }
  template:
    metadata: { labels: { app: idle } }
    spec: { containers: [{ name: idle, image: 'coxswain.local/guestbook:1', command: [sh, -c, 'sleep 100000'] }] }
`;

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
};

/** Across two hosts: a bare VXLAN link, pods in the tunnel. In turns, either first, so that a noisy machine is noisy for both; medians. */
export async function benchNetwork() {
  const cluster = new BenchCluster('bench-net');
  const kubectl = (...args) => {
    const result = spawnSync(join(root, '.cache/bin/kubectl'), args, { env: cluster.env, encoding: 'utf8', input: pods });
    if (result.status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  };
  try {
    cluster.cox('up', '--name', cluster.name, '--nodes', '2', '--pod-network', 'vxlan', '--log-level', 'warn');
    cluster.loadGuestbook();
    kubectl('apply', '-f', '-');
    kubectl('rollout', 'status', 'daemonset/idle', '--timeout=90s');
    const { hosts, paths } = cluster.config;
    const [here, there] = hosts.map(({ name }) => join(paths.run, 'hosts', name, 'ns/net'));
    bareLink(here, there, hosts);
    const items = JSON.parse(kubectl('get', 'pods', '-o', 'json')).items.sort((a, b) => (a.spec.nodeName < b.spec.nodeName ? -1 : 1));
    const [from, to] = items.map(({ status }) => ({ netns: podNetns(status.containerStatuses[0].containerID), ip: status.podIP }));
    const rounds = [];
    const measure = {
      link: () => throughput(here, there, '192.0.2.2'),
      pod: () => throughput(from.netns, to.netns, to.ip),
    };
    for (let round = 0; round < ROUNDS; round++) {
      const result = {};
      for (const which of round % 2 === 0 ? ['link', 'pod'] : ['pod', 'link']) result[which] = await measure[which]();
      rounds.push(result);
    }
    const [link, pod] = [median(rounds.map((r) => r.link)), median(rounds.map((r) => r.pod))];
    const share = median(rounds.map((r) => r.pod / r.link));
    figure(
      'pod to pod across hosts (VXLAN), one TCP stream',
      `${pod.toFixed(1)} Gbit/s: ${(100 * share).toFixed(0)} % of a bare VXLAN link (${link.toFixed(1)})`,
      '',
    );
  } finally {
    cluster.remove();
  }
}
