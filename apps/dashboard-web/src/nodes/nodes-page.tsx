import { NODES } from '../api/resource';
import { useTable } from '../api/use-table';
import { detailPath } from '../router';
import { bytes, cores } from '../ui/age';
import { Link } from '../ui/link';
import { ErrorNotice, Loading } from '../ui/notice';
import { BINARY_STEPS, Chart } from './chart';
import { useNodeLoad } from './use-node-load';

/** What each node uses, as its kubelet measures it. */
export default function NodesPage() {
  const { rows, loading, error } = useTable(NODES, {});
  if (error && rows.length === 0) return <ErrorNotice error={error} />;
  if (loading) return <Loading />;
  return (
    <section className="nodes">
      <header className="page-head">
        <h1>Load</h1>
        <span className="count">{rows.length === 1 ? '1 node' : `${rows.length} nodes`}</span>
      </header>
      {rows.map((row) => (
        <NodeLoad key={row.object.metadata.name} name={row.object.metadata.name} />
      ))}
    </section>
  );
}

function NodeLoad({ name }: { readonly name: string }) {
  const { times, cpu, memory, top, error } = useNodeLoad(name);
  const last = cpu.length - 1;
  return (
    <article className="card node-load">
      <h2>
        <Link href={detailPath(NODES, undefined, name)}>{name}</Link>
      </h2>
      {error && <ErrorNotice error={error} />}
      <div className="charts">
        <figure>
          <figcaption>
            CPU <b>{cpu[last] === undefined ? '' : cores(cpu[last])}</b>
          </figcaption>
          <Chart label={`CPU of ${name}`} times={times} values={cpu} format={cores} />
        </figure>
        <figure>
          <figcaption>
            Memory <b>{memory[last] === undefined ? '' : bytes(memory[last])}</b>
          </figcaption>
          <Chart label={`Memory of ${name}`} times={times} values={memory} format={bytes} steps={BINARY_STEPS} />
        </figure>
      </div>
      {top.length > 0 && (
        <table className="plain">
          <thead>
            <tr>
              <th>Busiest pods</th>
              <th className="number">CPU</th>
              <th className="number">Memory</th>
            </tr>
          </thead>
          <tbody>
            {top.map((p) => (
              <tr key={`${p.namespace}/${p.name}`}>
                <td>
                  <span className="muted">{p.namespace}/</span>
                  {p.name}
                </td>
                <td className="number">{cores(p.cpu)}</td>
                <td className="number">{bytes(p.memory)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </article>
  );
}
