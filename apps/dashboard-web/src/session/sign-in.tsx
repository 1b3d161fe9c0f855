import { type FormEvent, useState } from 'react';
import { json } from '../api/request';
import wheel from '../ui/wheel.svg';
import type { SessionInfo } from './session-gate';

type Way = 'token' | 'kubeconfig' | 'certificate';
const WAYS: readonly { readonly id: Way; readonly label: string }[] = [
  { id: 'token', label: 'Token' },
  { id: 'kubeconfig', label: 'Kubeconfig' },
  { id: 'certificate', label: 'Client certificate' },
];

/** `cox dashboard --open` hands the token over in the fragment, which never leaves the browser. */
function tokenFromFragment(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (token !== '') history.replaceState(null, '', location.pathname + location.search);
  return token;
}

export function SignIn({ onSignedIn }: { readonly onSignedIn: (info: SessionInfo) => void }) {
  const [way, setWay] = useState<Way>('token');
  const [token, setToken] = useState(tokenFromFragment);
  const [files, setFiles] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  // Reading a file takes a moment.
  const complete = way === 'token' || (way === 'kubeconfig' ? ['kubeconfig'] : ['certificate', 'key']).every((name) => files[name]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    const body = way === 'token' ? { type: way, token } : { type: way, ...files };
    try {
      onSignedIn(await json<SessionInfo>('/session', { method: 'POST', contentType: 'application/json', body: JSON.stringify(body), repeatable: true }));
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <form className="card sign-in-card" onSubmit={submit}>
        <img src={wheel} alt="" width="44" height="44" />
        <h1>Coxswain</h1>
        <p className="muted">You see and do here what the cluster lets you.</p>
        <div className="tabs" role="tablist" aria-label="Ways to sign in">
          {WAYS.map(({ id, label }) => (
            <button key={id} type="button" role="tab" aria-selected={way === id} onClick={() => setWay(id)}>
              {label}
            </button>
          ))}
        </div>
        {way === 'token' && (
          <label>
            Bearer token
            <textarea
              name="token"
              rows={4}
              value={token}
              onChange={(e) => setToken(e.target.value)}
              autoComplete="off"
              spellCheck={false}
              required
              // biome-ignore lint/a11y/noAutofocus: the one thing to do on this page
              autoFocus
            />
            <span className="hint">
              <code>cox dashboard</code> prints one, or <code>kubectl create token NAME</code>
            </span>
          </label>
        )}
        {way === 'kubeconfig' && (
          <FileField
            label="Kubeconfig file"
            name="kubeconfig"
            hint="Its current context's user signs in; certificates and tokens must be embedded."
            onText={setFiles}
          />
        )}
        {way === 'certificate' && (
          <>
            <FileField label="Certificate (PEM)" name="certificate" onText={setFiles} />
            <FileField label="Private key (PEM)" name="key" hint="Kept in memory until you sign out; never written." onText={setFiles} />
          </>
        )}
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button className="primary" type="submit" disabled={busy || !complete}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}

interface FileFieldProps {
  readonly label: string;
  readonly name: string;
  readonly hint?: string;
  readonly onText: (update: (files: Record<string, string>) => Record<string, string>) => void;
}

function FileField({ label, name, hint, onText }: FileFieldProps) {
  const read = async (file: File | undefined) => {
    const text = file ? await file.text() : '';
    onText((files) => ({ ...files, [name]: text }));
  };
  return (
    <label>
      {label}
      <input type="file" name={name} required onChange={(e) => void read(e.target.files?.[0])} />
      {hint && <span className="hint">{hint}</span>}
    </label>
  );
}
