import { type ReactNode, useEffect, useState } from 'react';
import { useAddress, useRoute } from '../router';
import { useSession } from '../session/session-gate';
import { Link } from '../ui/link';
import wheel from '../ui/wheel.svg';
import { NamespaceSelect } from './namespace-select';
import { QuickOpen } from './quick-open';
import { Sidebar } from './sidebar';
import { isDark, setTheme, useDark } from './theme';

export function Shell({ children }: { readonly children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const route = useRoute();
  const address = useAddress();
  const [menu, setMenu] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever went somewhere has chosen
  useEffect(() => setMenu(false), [address]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setMenu(false);
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
        event.preventDefault();
        setOpen(true);
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <div className={menu ? 'shell with-menu' : 'shell'}>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="topbar">
        <MenuButton open={menu} onClick={() => setMenu(!menu)} />
        <Link href="/" className="brand">
          <img src={wheel} alt="" width="26" height="26" />
          <span>Coxswain</span>
        </Link>
        <NamespaceSelect />
        <button type="button" className="quick" onClick={() => setOpen(true)}>
          Go to…<kbd>Ctrl K</kbd>
        </button>
        <span className="spacer" />
        <Link href="/create" className="button">
          Create
        </Link>
        <ThemeButton />
        <UserMenu />
      </header>
      <Sidebar />
      <main id="content" className={`content content-${route.page}`} tabIndex={-1}>
        {children}
      </main>
      {open && <QuickOpen onClose={() => setOpen(false)} />}
    </div>
  );
}

/** Shows the sidebar where there is no room for it beside the content. */
function MenuButton({ open, onClick }: { readonly open: boolean; readonly onClick: () => void }) {
  return (
    <button type="button" className="icon menu-button" aria-label="Resources" aria-expanded={open} aria-controls="sidebar" onClick={onClick}>
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round">
        <path d="M3 5.5h14M3 10h14M3 14.5h14" />
      </svg>
    </button>
  );
}

function ThemeButton() {
  const dark = useDark();
  return (
    <button type="button" className="icon" aria-label={dark ? 'Light colours' : 'Dark colours'} onClick={() => setTheme(isDark() ? 'light' : 'dark')}>
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round">
        {dark ? (
          <>
            <circle cx="10" cy="10" r="3.6" />
            <path d="M10 1.8v2M10 16.2v2M1.8 10h2M16.2 10h2M4.2 4.2l1.4 1.4M14.4 14.4l1.4 1.4M15.8 4.2l-1.4 1.4M5.6 14.4l-1.4 1.4" />
          </>
        ) : (
          <path d="M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7z" />
        )}
      </svg>
    </button>
  );
}

function UserMenu() {
  const { user, clusterName, signOut } = useSession();
  return (
    <details className="user">
      <summary>{user.username.split(':').at(-1)}</summary>
      <div className="card menu">
        <p>
          <strong>{user.username}</strong>
        </p>
        <p className="muted">{user.groups.join(', ')}</p>
        <p className="muted">Cluster {clusterName}</p>
        <button type="button" onClick={signOut}>
          Sign out
        </button>
      </div>
    </details>
  );
}
