import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { json, setSession } from '../api/request';
import { ErrorNotice, Loading } from '../ui/notice';
import { SignIn } from './sign-in';

export interface SessionInfo {
  readonly user: { readonly username: string; readonly groups: readonly string[] };
  readonly csrf: string;
  readonly clusterName: string;
  /** Components whose metrics the dashboard can show beside those of the API server and the kubelets. */
  readonly components: readonly string[];
}

interface Session extends SessionInfo {
  readonly signOut: () => void;
}

const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('nobody is signed in');
  return session;
}

/** Shows its children to somebody who is signed in, else the way to sign in. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const [info, setInfo] = useState<SessionInfo | null | undefined>(undefined);
  const [error, setError] = useState<Error>();
  const accept = useCallback((answer: SessionInfo | { user: null }) => {
    setSession(answer.user ? (answer as SessionInfo).csrf : '', () => setInfo(null));
    setInfo(answer.user ? (answer as SessionInfo) : null);
  }, []);
  useEffect(() => {
    json<SessionInfo | { user: null }>('/session').then(accept, setError);
  }, [accept]);
  const session = useMemo(() => {
    if (!info) return undefined;
    const signOut = () => void json<{ user: null }>('/session', { method: 'DELETE', repeatable: true }).then(accept, () => accept({ user: null }));
    return { ...info, signOut };
  }, [info, accept]);
  if (error) return <ErrorNotice error={error} />;
  if (info === undefined) return <Loading />;
  if (!session) return <SignIn onSignedIn={accept} />;
  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
}
