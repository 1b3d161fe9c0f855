import { useMemo } from 'react';
import { resourceKey } from '../api/resource';
import { listPath, useRoute } from '../router';
import { Link } from '../ui/link';
import { catalog, title } from './catalog';
import { useResources } from './use-discovery';

const VIEWS = [
  { href: '/architecture', page: 'architecture', label: 'Architecture' },
  { href: '/nodes', page: 'nodes', label: 'Load' },
  { href: '/logs', page: 'logs', label: 'Logs' },
] as const;

export function Sidebar() {
  const resources = useResources();
  const groups = useMemo(() => catalog(resources), [resources]);
  const route = useRoute();
  const current = route.page === 'list' || route.page === 'detail' ? `${route.group || 'core'}/${route.resource}` : '';
  return (
    <nav className="sidebar" id="sidebar" aria-label="Resources">
      <ul className="views">
        {VIEWS.map(({ href, page, label }) => (
          <li key={href}>
            <Link href={href} aria-current={route.page === page ? 'page' : undefined}>
              {label}
            </Link>
          </li>
        ))}
      </ul>
      {groups.map((group) => (
        <details key={group.title} open={group.title !== 'More' && group.title !== 'Access' ? true : undefined}>
          <summary>{group.title}</summary>
          <ul>
            {group.resources.map((r) => (
              <li key={resourceKey(r)}>
                <Link href={listPath(r)} aria-current={current === `${r.group || 'core'}/${r.name}` ? 'page' : undefined}>
                  {title(r)}
                </Link>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </nav>
  );
}
