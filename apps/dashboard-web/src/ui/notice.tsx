import { StatusError } from '../api/status-error';

export function Loading() {
  return (
    <p className="notice" role="status">
      Loading…
    </p>
  );
}

/** What went wrong, as the API server words it. */
export function ErrorNotice({ error }: { readonly error: Error }) {
  const causes = error instanceof StatusError ? error.causes : [];
  return (
    <div className="notice notice-error" role="alert">
      <p>{error.message}</p>
      {causes.length > 0 && (
        <ul>
          {causes.map((c) => (
            <li key={`${c.field}${c.message}`}>
              {c.field && <code>{c.field}</code>} {c.message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
