import type { ResourceRegistry } from '../registry/resource-registry.js';
import { Counter } from 'prom-client';
import type { InFlight } from '../http/in-flight.js';
import type { StoreFeed } from '../storage/store-feed.js';
import type { RequestMetrics } from './request-metrics.js';

/** Gauges over what is there, worked out when somebody asks. */
export function serverMetrics(metrics: RequestMetrics, registry: ResourceRegistry, feed: StoreFeed, inFlight: () => InFlight['counts']): void {
  metrics.gauge('apiserver_storage_objects', 'Stored objects by resource.', ['resource'], (gauge) => {
    gauge.reset();
    for (const { definition, storage } of registry.all()) {
      if (storage) gauge.set({ resource: definition.group === '' ? definition.resource : `${definition.resource}.${definition.group}` }, storage.cache.size);
    }
  });
  metrics.gauge('apiserver_longrunning_requests', 'Watches by resource.', ['verb', 'group', 'version', 'resource'], (gauge) => {
    gauge.reset();
    for (const { definition, storage } of registry.all()) {
      if (storage && storage.cache.groups.size > 0)
        gauge.set({ verb: 'WATCH', group: definition.group, version: definition.version, resource: definition.resource }, storage.cache.groups.size);
    }
  });
  metrics.gauge('apiserver_current_inflight_requests', 'Requests being answered, by kind.', ['request_kind'], (gauge) => {
    const { readOnly, mutating } = inFlight();
    gauge.set({ request_kind: 'readOnly' }, readOnly);
    gauge.set({ request_kind: 'mutating' }, mutating);
  });
  new Counter({
    name: 'apiserver_watch_events_total',
    help: 'Events sent in watches, by resource.',
    labelNames: ['group', 'version', 'resource'],
    registers: [metrics.registry],
    collect() {
      this.reset();
      for (const { definition, storage } of registry.all()) {
        const sent = storage?.cache.groups.sent ?? 0;
        if (sent > 0) this.inc({ group: definition.group, version: definition.version, resource: definition.resource }, sent);
      }
    },
  });
  metrics.gauge('apiserver_watch_cache_resource_version', 'Revision the caches are at.', [], (gauge) => gauge.set(feed.revision));
}
