import { NAMESPACES } from '../api/resource';
import { useTable } from '../api/use-table';
import { useNamespace } from './use-namespace';

/** Namespaces the user may list; one who may not types a name. */
export function NamespaceSelect() {
  const { namespace, choose } = useNamespace();
  const { rows, error } = useTable(NAMESPACES, {});
  if (error && rows.length === 0) {
    return (
      <input
        className="namespace"
        aria-label="Namespace"
        placeholder="Namespace"
        defaultValue={namespace ?? ''}
        onKeyDown={(e) => e.key === 'Enter' && choose(e.currentTarget.value.trim() || undefined)}
        onBlur={(e) => choose(e.currentTarget.value.trim() || undefined)}
      />
    );
  }
  const names = new Set(rows.map((r) => r.object.metadata.name));
  if (namespace) names.add(namespace);
  return (
    <select className="namespace" aria-label="Namespace" value={namespace ?? ''} onChange={(e) => choose(e.target.value || undefined)}>
      <option value="">All namespaces</option>
      {[...names].sort().map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}
