import type { KubeObject } from '@coxswain/api';

/** Records an Event about an object; never fails, never waits. `related` is a second object it concerns. */
export type EventSink = (about: KubeObject, type: 'Normal' | 'Warning', reason: string, note: string, action: string, related?: KubeObject) => void;
