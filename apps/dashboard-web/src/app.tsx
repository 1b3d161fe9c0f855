import { Suspense } from 'react';
import { CreatePage } from './create-page';
import { DetailPage } from './detail/detail-page';
import { ListPage } from './list/list-page';
import { type Route, useRoute } from './router';
import { SessionGate } from './session/session-gate';
import { Shell } from './shell/shell';
import { DiscoveryGate } from './shell/use-discovery';
import { NamespaceContext, useStoredNamespace } from './shell/use-namespace';
import { Boundary, lazyPage } from './ui/lazy-page';
import { Loading } from './ui/notice';

const ArchitecturePage = lazyPage(() => import('./architecture/architecture-page'));
const NodesPage = lazyPage(() => import('./nodes/nodes-page'));
const LogSearchPage = lazyPage(() => import('./logs/log-search-page'));

export function App() {
  const namespace = useStoredNamespace();
  return (
    <SessionGate>
      <DiscoveryGate>
        <NamespaceContext.Provider value={namespace}>
          <Shell>
            <Page />
          </Shell>
        </NamespaceContext.Provider>
      </DiscoveryGate>
    </SessionGate>
  );
}

function Page() {
  const route = useRoute();
  return (
    <Boundary key={location.pathname}>
      <Suspense fallback={<Loading />}>
        <PageOf route={route} />
      </Suspense>
    </Boundary>
  );
}

function PageOf({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'architecture':
      return <ArchitecturePage />;
    case 'nodes':
      return <NodesPage />;
    case 'logs':
      return <LogSearchPage />;
    case 'create':
      return <CreatePage />;
    case 'list':
      return <ListPage key={`${route.group}/${route.resource}`} group={route.group} version={route.version} resource={route.resource} />;
    case 'detail':
      return <DetailPage key={location.pathname} {...route} />;
    default:
      return <p className="notice">There is no such page.</p>;
  }
}
