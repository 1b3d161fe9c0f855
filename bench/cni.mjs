import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { percentiles } from './lib/measure.mjs';
import { figure } from './lib/table.mjs';

/** A pod's place on the network: CNI ADD and DEL of bridge, host-local and portmap, in process. Needs no cluster. */
export function benchCni() {
  const program = fileURLToPath(new URL('lib/cni-adds.ts', import.meta.url));
  const out = JSON.parse(
    execFileSync('unshare', ['--net', process.execPath, '--conditions=coxswain-source', '--import', 'tsx', program], { encoding: 'utf8' }),
  );
  const add = percentiles(out.add);
  figure('CNI ADD in process, p50', `${add.p50.toFixed(1)} ms (p99 ${add.p99.toFixed(1)} ms, ${out.cpuMs.toFixed(1)} ms of CPU)`, '');
  figure('CNI DEL in process, p50', `${percentiles(out.del).p50.toFixed(1)} ms`, '');
}
