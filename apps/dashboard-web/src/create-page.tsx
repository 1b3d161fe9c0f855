import { Suspense, useState } from 'react';
import type { StatusError } from './api/status-error';
import { detailPath } from './router';
import { useResources } from './shell/use-discovery';
import { useNamespace } from './shell/use-namespace';
import { Link } from './ui/link';
import { lazyPage } from './ui/lazy-page';
import { ErrorNotice, Loading } from './ui/notice';

const Editor = lazyPage(async () => ({ default: (await import('./detail/editor')).Editor }));

type Line = { readonly what: string; readonly path?: string; readonly error?: Error };

const example = (namespace: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: example
  namespace: ${namespace}
data:
  greeting: hello
`;

/** Any number of objects as YAML, created or applied one after the other. */
export function CreatePage() {
  const resources = useResources();
  const { namespace = 'default' } = useNamespace();
  const [text, setText] = useState(() => example(namespace));
  const [lines, setLines] = useState<readonly Line[]>([]);
  const run = async (how: 'create' | 'apply') => {
    const { create, apply, resourceOf } = await import('./detail/write-object');
    const { parseObjects } = await import('./detail/yaml-text');
    const done: Line[] = [];
    try {
      for (const object of parseObjects(text)) {
        const what = `${object.kind} ${object.metadata.name}`;
        try {
          const resource = resourceOf(resources, object);
          const home = resource.namespaced ? (object.metadata.namespace ?? namespace) : undefined;
          const placed = home ? { ...object, metadata: { ...object.metadata, namespace: home } } : object;
          const written = await (how === 'create' ? create(resource, placed) : apply(resource, placed));
          done.push({ what: `${what} ${how === 'create' ? 'created' : 'applied'}`, path: detailPath(resource, home, written.metadata.name) });
        } catch (error) {
          done.push({ what, error: error as StatusError });
        }
      }
      if (done.length === 0) done.push({ what: '', error: new Error('there is no object to create') });
    } catch (error) {
      done.push({ what: '', error: error as Error });
    }
    setLines(done);
  };
  return (
    <section className="create">
      <header className="page-head">
        <h1>Create</h1>
        <span className="spacer" />
        <label className="button">
          From a file
          <input
            type="file"
            accept=".yaml,.yml,.json"
            className="hidden"
            onChange={async (e) => {
              const file = e.target.files?.[0];
              if (file) setText(await file.text());
            }}
          />
        </label>
        <button type="button" onClick={() => run('apply')}>
          Apply
        </button>
        <button type="button" className="primary" onClick={() => run('create')}>
          Create
        </button>
      </header>
      <ul className="outcomes" aria-live="polite">
        {lines.map(({ what, path, error }) => (
          <li key={what + error?.message}>
            {error ? (
              <>
                {what}
                <ErrorNotice error={error} />
              </>
            ) : (
              <Link href={path as string}>{what}</Link>
            )}
          </li>
        ))}
      </ul>
      <Suspense fallback={<Loading />}>
        <Editor label="Objects to create" text={text} onChange={setText} />
      </Suspense>
    </section>
  );
}
