import { useEffect, useState } from 'react';
import type { KubeObject, Resource } from '../api/resource';
import { StatusError } from '../api/status-error';
import { ErrorNotice } from '../ui/notice';
import { Editor } from './editor';
import { apply, replace } from './write-object';
import { parseObjects, toYaml } from './yaml-text';

type Outcome = { readonly type: 'done'; readonly message: string } | { readonly type: 'failed'; readonly error: Error; readonly conflicts: boolean };

/** The object as YAML, kept current until it is edited. */
export default function YamlTab({ resource, object }: { readonly resource: Resource; readonly object: KubeObject }) {
  const [managedFields, setManagedFields] = useState(false);
  const [text, setText] = useState(() => toYaml(object));
  const [base, setBase] = useState(text);
  const [outcome, setOutcome] = useState<Outcome>();
  const edited = text !== base;
  const latest = toYaml(object, { managedFields });
  useEffect(() => {
    if (edited) return;
    setText(latest);
    setBase(latest);
  }, [latest, edited]);
  const stale = edited && latest !== base;

  const write = async (how: 'apply' | 'force' | 'replace') => {
    try {
      const [wanted, ...more] = parseObjects(text);
      if (!wanted || more.length > 0) throw new Error('there must be exactly one object');
      const { name, namespace } = object.metadata;
      if (wanted.kind !== object.kind || wanted.metadata.name !== name || wanted.metadata.namespace !== namespace)
        throw new Error('kind, name and namespace cannot change: create another object instead');
      const written = how === 'replace' ? await replace(resource, wanted) : await apply(resource, wanted, { force: how === 'force' });
      const now = toYaml(written, { managedFields });
      setText(now);
      setBase(now);
      setOutcome({ type: 'done', message: how === 'replace' ? 'Replaced.' : 'Applied.' });
    } catch (e) {
      const error = e as Error;
      setOutcome({ type: 'failed', error, conflicts: how === 'apply' && error instanceof StatusError && error.reason === 'Conflict' });
    }
  };
  const writable = resource.verbs.includes('patch') || resource.verbs.includes('update');
  return (
    <section className="yaml-tab">
      <div className="bar">
        <button type="button" className="primary" disabled={!edited || !writable} onClick={() => write('apply')}>
          Apply
        </button>
        <button type="button" disabled={!edited || !writable} onClick={() => write('replace')} title="Write the whole object: fields you removed are removed">
          Replace
        </button>
        <button
          type="button"
          disabled={!edited}
          onClick={() => {
            setText(latest);
            setBase(latest);
            setOutcome(undefined);
          }}
        >
          Discard
        </button>
        <label className="check">
          <input type="checkbox" checked={managedFields} onChange={(e) => setManagedFields(e.target.checked)} disabled={edited} /> Managed fields
        </label>
        <span className="muted" role="status">
          {outcome?.type === 'done' && !edited ? outcome.message : stale ? 'The object has changed since you began.' : ''}
        </span>
      </div>
      {outcome?.type === 'failed' && (
        <div className="failed">
          <ErrorNotice error={outcome.error} />
          {outcome.conflicts && (
            <div className="bar">
              <span>Others own these fields. Take them over?</span>
              <button type="button" className="danger" onClick={() => write('force')}>
                Apply anyway
              </button>
            </div>
          )}
        </div>
      )}
      <Editor label={`YAML of ${object.metadata.name}`} text={text} onChange={setText} />
    </section>
  );
}
