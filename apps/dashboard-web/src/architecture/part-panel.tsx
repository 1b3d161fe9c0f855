import { useCallback, useMemo } from 'react';
import { k8s, lines, request } from '../api/request';
import { NODES, PODS } from '../api/resource';
import { useTable } from '../api/use-table';
import { LogView } from '../logs/log-view';
import { useLines } from '../logs/use-lines';
import { ResourceTable } from '../list/resource-table';
import { detailPath, navigate } from '../router';
import { Link } from '../ui/link';
import { useLive } from './live';
import { callsOf, type Part, type Topology } from './parts';
import { figureValue } from './show-figure';

/** A component: its live numbers, its log, its pods. */
export function PartPanel({ part, topology, onClose }: { readonly part: Part; readonly topology: Topology; readonly onClose: () => void }) {
  const { figures } = useLive();
  const own = figures.get(part.id) ?? [];
  const calls = callsOf(topology).filter((c) => c.from === part.id || c.to === part.id);
  return (
    <aside className="card panel" aria-label={part.title}>
      <header>
        <h2>{part.title}</h2>
        <button type="button" className="icon" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </header>
      <p className="muted">
        {part.node && (
          <>
            on <Link href={detailPath(NODES, undefined, part.node)}>{part.node}</Link>
            {part.subtitle ? ' · ' : ''}
          </>
        )}
        {part.subtitle}
      </p>
      {own.length > 0 && (
        <dl>
          {own.map((figure) => (
            <div key={figure.name}>
              <dt>{figure.name}</dt>
              <dd>{figureValue(figure)}</dd>
            </div>
          ))}
        </dl>
      )}
      {calls.length > 0 && (
        <>
          <h3>Traffic</h3>
          <ul className="traffic">
            {calls.map((c) => (
              <Traffic key={c.id} id={c.id} name={c.from === part.id ? `to ${c.to}` : `from ${c.from}`} label={c.label} />
            ))}
          </ul>
        </>
      )}
      {part.kind === 'pods' && part.node && <NodePods node={part.node} />}
      <ComponentLog part={part} firstNode={topology.nodes[0]} />
    </aside>
  );
}

function Traffic({ id, name, label }: { readonly id: string; readonly name: string; readonly label: string }) {
  const { flows, history } = useLive();
  const flow = flows.get(id);
  const values = history.get(id) ?? [];
  const most = Math.max(1, ...values);
  const points = values.map((v, i) => `${((60 - values.length + i) * 100) / 59},${22 - (v / most) * 20}`).join(' ');
  return (
    <li>
      <span>
        {name} <small className="muted">{label}</small>
      </span>
      <svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
        <polyline points={points} />
      </svg>
      <span className="number">
        {flow?.calls ?? 0}/s{flow && flow.events > 0 ? ` · ${flow.events} events` : ''}
      </span>
    </li>
  );
}

function NodePods({ node }: { readonly node: string }) {
  const { columns, rows } = useTable(PODS, { fieldSelector: `spec.nodeName=${node}` });
  const few = useMemo(() => columns.filter((c) => c.name === 'Name' || c.name === 'Status'), [columns]);
  const shown = useMemo(() => {
    const at = few.map((c) => columns.indexOf(c));
    return rows.map((row) => ({ ...row, cells: at.map((i) => row.cells[i]) }));
  }, [rows, few, columns]);
  return (
    <>
      <h3>Pods</h3>
      <ResourceTable
        columns={few}
        rows={shown}
        wide={false}
        showNamespace={false}
        onOpen={(row) => navigate(detailPath(PODS, row.object.metadata.namespace, row.object.metadata.name))}
      />
    </>
  );
}

/** The process a part lives in, whose log the kubelet serves with the node's other logs. */
function logFile(part: Part): string | undefined {
  switch (part.kind) {
    case 'clients':
    case 'pods':
    case 'rules':
      return undefined;
    case 'apiserver':
    case 'store':
    case 'scheduler':
    case 'controller-manager':
    case 'cloud-controller-manager':
      return 'control-plane.log';
    default:
      return 'node.log';
  }
}

/** What lines of a part call themselves; what the process says of itself is about every part in it. */
const namesOf = (kind: string, file: string | undefined) => [kind, `kube-${kind}`, file?.replace('.log', '')];

const TAIL_BYTES = 128 * 1024;

function ComponentLog({ part, firstNode }: { readonly part: Part; readonly firstNode: string | undefined }) {
  const file = logFile(part);
  const node = part.node ?? firstNode;
  const word = part.kind === 'cri' || part.kind === 'cni' || part.kind === 'store' ? undefined : part.kind;
  const open = useCallback(
    async function* (signal: AbortSignal) {
      const path = k8s(`/api/v1/nodes/${encodeURIComponent(node ?? '')}/proxy/logs/${file}`);
      const response = await request(path, { accept: 'text/plain, */*', range: `bytes=-${TAIL_BYTES}`, signal });
      // Of a log that is no longer than the tail, all comes.
      let first = response.status === 206 && !response.headers.get('content-range')?.startsWith('bytes 0-');
      for await (const batch of lines(response)) {
        // The first line of a tail is the end of one.
        const whole = first ? batch.slice(1) : batch;
        first = false;
        yield whole
          .filter((l) => l !== '')
          .map(readable)
          .filter((l) => word === undefined || l.component === undefined || namesOf(word, file).includes(l.component));
      }
    },
    [file, node, word],
  );
  const { lines: found, error } = useLines(file && node ? open : undefined);
  if (!file || !node) return null;
  return (
    <>
      <h3>
        Log <small className="muted">{file}</small>
      </h3>
      {error ? <p className="muted">The log cannot be read: {error.message}</p> : <LogView lines={found} label={`Log of ${part.title}`} />}
    </>
  );
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

/** Our components log JSON; anything else is shown as it is. */
function readable(line: string): { text: string; time?: string; warning?: boolean; component?: string } {
  try {
    const { time, level, msg, component, err, pid: _p, hostname: _h, name: _n, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const word = typeof level === 'number' ? LEVELS[level] : String(level ?? '');
    const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    const why = err ? ` ${(err as { message?: string }).message ?? JSON.stringify(err)}` : '';
    return {
      text: `${word} ${component ? `${component}: ` : ''}${String(msg ?? '')}${why}${more}`,
      ...(time === undefined ? {} : { time: new Date(time as string | number).toISOString() }),
      warning: word === 'warn' || word === 'error' || word === 'fatal',
      ...(typeof component === 'string' ? { component } : {}),
    };
  } catch {
    return { text: line };
  }
}
