import { createServer, type Server } from 'node:http';
import type { Logger } from '@coxswain/sdk';
import type { HealthCheckService } from './service-tracker.js';

/** Answers on each `healthCheckNodePort`: 200 when this node has endpoints of the Service, else 503. */
export class HealthCheckServers {
  private readonly servers = new Map<number, { readonly server: Server; current: HealthCheckService }>();

  constructor(
    private readonly logger: Logger,
    private readonly healthy: () => boolean,
    private readonly address?: string,
  ) {}

  /** Opens and closes ports so that exactly these are served. A port that is taken is logged and tried again next time. */
  sync(services: readonly HealthCheckService[]): void {
    const wanted = new Map(services.map((s) => [s.port, s]));
    for (const [port, { server }] of this.servers) {
      if (wanted.has(port)) continue;
      server.close();
      server.closeAllConnections();
      this.servers.delete(port);
    }
    for (const [port, service] of wanted) {
      const open = this.servers.get(port);
      if (open) open.current = service;
      else this.open(port, service);
    }
  }

  async close(): Promise<void> {
    this.sync([]);
  }

  private open(port: number, current: HealthCheckService): void {
    const entry = {
      current,
      server: createServer((_request, response) => {
        const { namespace, name, localEndpoints } = entry.current;
        const serviceProxyHealthy = this.healthy();
        response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
          'content-type': 'application/json',
          'x-content-type-options': 'nosniff',
          'x-load-balancing-endpoint-weight': String(localEndpoints),
        });
        response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }));
      }),
    };
    this.servers.set(port, entry);
    entry.server.on('error', (error) => {
      this.logger.warn('cannot serve a health check node port', { port, service: `${current.namespace}/${current.name}`, err: error });
      if (this.servers.get(port) === entry) this.servers.delete(port);
    });
    entry.server.listen(port, this.address);
  }
}
