import { useCallback, useMemo, useState } from 'react';
import { searchLogs } from '../api/log-search';
import { k8s, lines, request } from '../api/request';
import { type KubeObject, objectPath, PODS } from '../api/resource';
import { LogView } from '../logs/log-view';
import { useLines } from '../logs/use-lines';
import { ErrorNotice } from '../ui/notice';
import { containersOf } from './pod-containers';

/** The logs of a pod's containers, straight from its kubelet; a search goes through the logging add-on, which remembers more. */
export function LogsTab({ pod }: { readonly pod: KubeObject }) {
  const { name, namespace = '' } = pod.metadata;
  const containers = containersOf(pod);
  const [chosen, setChosen] = useState<string>();
  const container = chosen ?? containers[0]?.name ?? '';
  const [follow, setFollow] = useState(true);
  const [previous, setPrevious] = useState(false);
  const [filter, setFilter] = useState('');
  const [search, setSearch] = useState('');
  const kubelet = useCallback(
    async function* (signal: AbortSignal) {
      const query = new URLSearchParams({ container, tailLines: '2000', timestamps: 'true', follow: String(follow && !previous), previous: String(previous) });
      const response = await request(`${k8s(objectPath(PODS, namespace, name))}/log?${query}`, { accept: 'text/plain, application/json', signal });
      for await (const batch of lines(response)) yield batch.filter((l) => l !== '').map(withTime);
    },
    [name, namespace, container, follow, previous],
  );
  const collected = useCallback(
    async function* (signal: AbortSignal) {
      for await (const batch of searchLogs({ namespace, pod: name, container, grep: search, limit: 5000 }, signal))
        yield batch.map(({ time, stream, text }) => ({ time, text, warning: stream === 'stderr' }));
    },
    [name, namespace, container, search],
  );
  const { lines: all, error, done } = useLines(search === '' ? kubelet : collected);
  const shown = useMemo(
    () => (filter === '' || search !== '' ? all : all.filter((l) => l.text.toLowerCase().includes(filter.toLowerCase()))),
    [all, filter, search],
  );
  return (
    <section className="logs-tab">
      <div className="bar">
        <select aria-label="Container" value={container} onChange={(e) => setChosen(e.target.value)}>
          {containers.map((c) => (
            <option key={c.name}>{c.name}</option>
          ))}
        </select>
        <label className="check">
          <input type="checkbox" checked={follow} onChange={(e) => setFollow(e.target.checked)} disabled={search !== ''} /> Follow
        </label>
        <label className="check">
          <input type="checkbox" checked={previous} onChange={(e) => setPrevious(e.target.checked)} disabled={search !== ''} /> Previous
        </label>
        <span className="spacer" />
        <span className="muted" role="status">
          {shown.length} lines{search !== '' ? ' found' : ''}
          {done ? '' : ' …'}
        </span>
        <input
          type="search"
          aria-label="Search in the logs"
          placeholder="Filter; Enter searches all"
          value={filter}
          onChange={(e) => {
            setFilter(e.target.value);
            setSearch('');
          }}
          onKeyDown={(e) => e.key === 'Enter' && setSearch(filter.trim())}
        />
      </div>
      {error && <ErrorNotice error={error} />}
      <LogView lines={shown} label={`Logs of ${container}`} match={filter} />
    </section>
  );
}

function withTime(line: string) {
  const space = line.indexOf(' ');
  const time = line.slice(0, space);
  return /^\d{4}-\d\d-\d\dT/.test(time) ? { time, text: line.slice(space + 1) } : { text: line };
}
