import { createContext, useContext, useState } from 'react';

export interface NamespaceChoice {
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly choose: (namespace: string | undefined) => void;
}

export const NamespaceContext = createContext<NamespaceChoice>({ namespace: undefined, choose: () => {} });
export const useNamespace = () => useContext(NamespaceContext);

const KEY = 'coxswain-namespace';

export function useStoredNamespace(): NamespaceChoice {
  const [namespace, set] = useState<string | undefined>(() => localStorage.getItem(KEY) || undefined);
  const choose = (chosen: string | undefined) => {
    localStorage.setItem(KEY, chosen ?? '');
    set(chosen);
  };
  return { namespace, choose };
}
