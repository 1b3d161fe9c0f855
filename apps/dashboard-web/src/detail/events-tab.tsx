import { EVENTS, type KubeObject } from '../api/resource';
import { useTable } from '../api/use-table';
import { ErrorNotice, Loading } from '../ui/notice';

/** What happened to the object, the latest last. */
export function EventsTab({ object }: { readonly object: KubeObject }) {
  const { name, namespace, uid } = object.metadata;
  const fieldSelector = [`involvedObject.name=${name}`, ...(uid ? [`involvedObject.uid=${object.kind === 'Node' ? name : uid}`] : [])].join(',');
  const { columns, rows, loading, error } = useTable(EVENTS, { namespace: namespace ?? 'default', fieldSelector });
  if (error && rows.length === 0) return <ErrorNotice error={error} />;
  if (loading) return <Loading />;
  if (rows.length === 0) return <p className="notice">No events. They are kept for an hour.</p>;
  const at = (column: string) => columns.findIndex((c) => c.name === column);
  const [seen, type, reason, message] = ['Last Seen', 'Type', 'Reason', 'Message'].map(at) as [number, number, number, number];
  return (
    <section className="card">
      <table className="plain events">
        <thead>
          <tr>
            <th>Last seen</th>
            <th>Type</th>
            <th>Reason</th>
            <th>Message</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.object.metadata.uid ?? row.object.metadata.name}>
              <td>{String(row.cells[seen] ?? '')}</td>
              <td>
                <span className={`pill ${row.cells[type] === 'Warning' ? 'busy' : ''}`}>{String(row.cells[type] ?? '')}</span>
              </td>
              <td>{String(row.cells[reason] ?? '')}</td>
              <td>{String(row.cells[message] ?? '')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
