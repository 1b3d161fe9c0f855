import { type FormEvent, useCallback, useState } from 'react';
import { type LogQuery, searchLogs } from '../api/log-search';
import { StatusError } from '../api/status-error';
import { useNamespace } from '../shell/use-namespace';
import { ErrorNotice } from '../ui/notice';
import { LogView } from './log-view';
import { useLines } from './use-lines';

const SINCE = ['5m', '15m', '1h', '6h', '24h'];

/** Search what the logging add-ons of all nodes have collected, also of pods that are gone. */
export default function LogSearchPage() {
  const { namespace } = useNamespace();
  const [query, setQuery] = useState<LogQuery>({ since: '15m', limit: 2000 });
  const open = useCallback(
    async function* (signal: AbortSignal) {
      for await (const batch of searchLogs({ ...query, namespace }, signal))
        yield batch.map((e) => ({
          time: e.time,
          source: `${e.namespace}/${e.pod}${e.container ? `:${e.container}` : ''}`,
          text: e.text,
          warning: e.stream === 'stderr',
        }));
    },
    [query, namespace],
  );
  const { lines, done, error } = useLines(open);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    setQuery({ selector: text('selector'), container: text('container'), grep: text('grep'), since: text('since'), limit: 2000, follow: form.has('follow') });
  };
  const missing = error instanceof StatusError && (error.code === 404 || error.code === 503);
  return (
    <section className="log-search">
      <header className="page-head">
        <h1>Logs</h1>
        <span className="count" role="status">
          {lines.length} lines{done ? '' : ' …'}
        </span>
      </header>
      <form className="bar" onSubmit={submit}>
        <input type="search" name="grep" aria-label="Pattern" placeholder="Pattern (regular expression)" />
        <input type="search" name="selector" aria-label="Label selector" placeholder="Label selector, app=web" />
        <input type="search" name="container" aria-label="Container" placeholder="Container" />
        <select name="since" aria-label="Since" defaultValue="15m">
          {SINCE.map((s) => (
            <option key={s} value={s}>
              last {s}
            </option>
          ))}
        </select>
        <label className="check">
          <input type="checkbox" name="follow" /> Follow
        </label>
        <button className="primary" type="submit">
          Search
        </button>
      </form>
      {error && (missing ? <p className="notice">The logging add-on does not answer in this cluster: {error.message}</p> : <ErrorNotice error={error} />)}
      <LogView lines={lines} label="Logs found" match={query.grep} />
    </section>
  );
}
