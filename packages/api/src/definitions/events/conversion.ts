import type { KubeObject } from '../../definition.js';

/** Field names of events/v1 and what core/v1, the stored form, calls them. */
const RENAMED = {
  note: 'message',
  regarding: 'involvedObject',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
} as const;

const REVERSED = Object.fromEntries(Object.entries(RENAMED).map(([served, stored]) => [stored, served]));

/** An events/v1 Event as core/v1. */
export const toCoreEvent = (event: KubeObject): KubeObject => ({ ...renamed(event, RENAMED), apiVersion: 'v1' });

/** A core/v1 Event as events/v1. */
export const fromCoreEvent = (event: KubeObject): KubeObject => ({
  ...renamed(event, REVERSED),
  apiVersion: 'events.k8s.io/v1',
});

function renamed(event: KubeObject, names: Readonly<Record<string, string>>): KubeObject {
  const entries = Object.entries(event).map(([key, value]) => [names[key] ?? key, value]);
  return Object.fromEntries(entries) as KubeObject;
}
