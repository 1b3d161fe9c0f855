import { createContext, useContext } from 'react';
import type { Flow } from './flows';
import type { Figure } from './reading';

/** What the last second brought. */
export interface Live {
  /** Grows with every reading. */
  readonly beat: number;
  readonly flows: ReadonlyMap<string, Flow>;
  readonly figures: ReadonlyMap<string, readonly Figure[]>;
  /** Calls a second of the last minute, by edge. */
  readonly history: ReadonlyMap<string, readonly number[]>;
  readonly problem: string | undefined;
}

export const NOTHING: Live = { beat: 0, flows: new Map(), figures: new Map(), history: new Map(), problem: undefined };

export const LiveContext = createContext<Live>(NOTHING);
export const useLive = () => useContext(LiveContext);
