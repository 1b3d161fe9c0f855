import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { listPath, navigate } from '../router';
import { title } from './catalog';
import { useResources } from './use-discovery';

/** Go anywhere by typing a resource's name, kind or short name. */
export function QuickOpen({ onClose }: { readonly onClose: () => void }) {
  const resources = useResources();
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  useEffect(() => dialog.current?.showModal(), []);
  const places = useMemo(() => {
    const views = [
      { label: 'Architecture', hint: '', path: '/architecture', words: ['architecture'] },
      { label: 'Load', hint: '', path: '/nodes', words: ['load', 'charts'] },
      { label: 'Logs', hint: '', path: '/logs', words: ['logs', 'search'] },
      { label: 'Create', hint: '', path: '/create', words: ['create', 'apply'] },
    ];
    return [...views, ...resources.map((r) => ({ label: title(r), hint: r.group, path: listPath(r), words: [r.name, r.kind.toLowerCase(), ...r.shortNames] }))];
  }, [resources]);
  const wanted = text.trim().toLowerCase();
  const rank = (words: readonly string[]) => (words.includes(wanted) ? 0 : words.some((w) => w.startsWith(wanted)) ? 1 : 2);
  const found = places
    .filter(({ words, label }) => words.some((w) => w.includes(wanted)) || label.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a.words) - rank(b.words))
    .slice(0, 12);
  const go = (path: string | undefined) => {
    if (path === undefined) return;
    onClose();
    navigate(path);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt((n) => Math.min(n + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt((n) => Math.max(n - 1, 0));
    else if (event.key === 'Enter') go(found[at]?.path);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} className="quick-open" onClose={onClose} aria-label="Go to">
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="quick-open-list"
        aria-activedescendant={`quick-${at}`}
        aria-label="Where to"
        placeholder="pods, deploy, svc…"
        value={text}
        onChange={(e) => {
          setText(e.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="quick-open-list" role="listbox" aria-label="Places">
        {found.map((place, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the field
          <li key={place.path} id={`quick-${i}`} role="option" aria-selected={i === at} tabIndex={-1} onClick={() => go(place.path)}>
            {place.label} <span className="muted">{place.hint}</span>
          </li>
        ))}
      </ul>
    </dialog>
  );
}
