import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Pod } from '@coxswain/api';
import type { RuntimeServiceClient } from '@coxswain/cri';
import { createCa, issueCertificate, type KeyPairPem, LEAF_VALIDITY_MS } from '@coxswain/pki';
import { type Clock, HealthPaths, type Logger, profile, PROMETHEUS_TEXT, zPageAnswer } from '@coxswain/sdk';
import { readLogs } from '../logs/read-logs.js';
import type { KubeletOptions } from '../options.js';
import { parseTime } from '../pod/time.js';
import { cadvisorMetrics, resourceMetrics, volumeMetrics } from '../stats/resource-metrics.js';
import { formatMetrics, type Metric } from '../stats/prometheus.js';
import type { StatsProvider } from '../stats/summary.js';
import type { ServerAuth } from './auth.js';
import { checkpoint } from './checkpoint.js';
import { configurationOf } from './configuration.js';
import { debugFlags } from './debug-flags.js';
import { HttpError } from './http-error.js';
import { serveLogFile } from './log-files.js';
import { type Call, type Handler, off, readOf, refuseWrites } from './handler.js';
import type { PodAccess } from './pod-access.js';
import { proxyUpgrade } from './upgrade-proxy.js';

export interface KubeletServerDeps {
  readonly runtime: RuntimeServiceClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly auth: ServerAuth;
  readonly access: PodAccess;
  readonly stats: StatsProvider;
  readonly pods: () => readonly Pod[];
  readonly runningPods: () => readonly Pod[];
  /** Resolves when the pod changed. */
  readonly podChanged: (uid: string, signal: AbortSignal) => Promise<void>;
  readonly containerRunning: (id: string) => boolean;
  readonly waitingReason: (pod: Pod, container: string) => string | undefined;
  /** Prometheus text. */
  readonly metrics: () => string;
  readonly probeMetrics: () => Metric[];
  /** Problems of the health check; empty: fine. */
  readonly unhealthy: () => readonly string[];
  /** What more of a KubeletConfiguration /configz shows. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  readonly flags?: Readonly<Record<string, string>>;
  /** Absent: the options' pair, or one that signs itself. */
  readonly servingCertificate?: ServingCertificate;
}

/** A serving certificate that comes later and is renewed. Until there is one no connection is made. */
export interface ServingCertificate {
  readonly current: KeyPairPem | undefined;
  /** Told each new pair; answers its undo. */
  onChange(changed: (pair: KeyPairPem) => void): () => void;
}

const HEALTHZ_RETRY_MS = 5000;
/** What is served always. */
const PATHS = ['/healthz', '/metrics', '/pods', '/stats', '/statusz'];

/** The kubelet's HTTPS API: logs, exec, attach, port-forward, statistics, metrics. */
export class KubeletServer {
  readonly #deps: KubeletServerDeps;
  readonly #options: KubeletOptions;
  #server: https.Server | undefined;
  #healthServer: http.Server | undefined;
  #readOnly: http.Server | undefined;
  #stopFollowing: (() => void) | undefined;
  readonly #health: HealthPaths;
  readonly #stopping = new AbortController();
  readonly #sockets = new Set<Duplex>();

  constructor(deps: KubeletServerDeps, options: KubeletOptions) {
    this.#deps = deps;
    const syncloop = () => {
      const problems = deps.unhealthy();
      return problems.length > 0 ? problems.join('; ') : undefined;
    };
    this.#health = new HealthPaths({
      healthz: [
        { name: 'ping', check: () => undefined },
        { name: 'log', check: () => undefined },
        { name: 'syncloop', check: syncloop },
      ],
    });
    this.#options = options;
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  async start(): Promise<void> {
    const { authentication, address, port, healthzPort, healthzBindAddress, readOnlyPort, tlsMinVersion, tlsCiphers } = this.#options;
    const renewed = this.#deps.servingCertificate;
    const context = (pair: KeyPairPem | undefined) => ({
      ...(pair ? { cert: pair.cert, key: pair.key } : {}),
      minVersion: tlsMinVersion,
      ...(tlsCiphers ? { ciphers: tlsCiphers, honorCipherOrder: true } : {}),
      ...(authentication.clientCA ? { ca: authentication.clientCA } : {}),
    });
    this.#server = https.createServer({
      ...context(renewed ? renewed.current : (this.#options.serving ?? (await this.#selfSigned()))),
      ALPNProtocols: ['http/1.1'],
      ...(authentication.clientCA ? { requestCert: true, rejectUnauthorized: false } : {}),
    });
    this.#stopFollowing = renewed?.onChange((pair) => this.#server?.setSecureContext(context(pair)));
    this.#server.on('request', (request, response) => void this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket as Socket, head));
    this.#server.on('connection', (socket) => this.#track(socket));
    // Followed logs are silent for as long as they like.
    this.#server.requestTimeout = 0;
    await listen(this.#server, port, address);
    if (healthzPort > 0) {
      this.#healthServer = http.createServer((request, response) => {
        const { pathname, searchParams } = new URL(request.url ?? '/', 'http://kubelet');
        void this.#healthz(response, pathname, searchParams);
      });
      await this.#listenSometime(this.#healthServer, healthzPort, healthzBindAddress);
    }
    if (readOnlyPort > 0) {
      this.#readOnly = http.createServer((request, response) => void this.#request(request, response, true));
      await listen(this.#readOnly, readOnlyPort, address);
    }
  }

  async stop(): Promise<void> {
    this.#stopFollowing?.();
    this.#stopping.abort();
    const closed = [this.#server, this.#healthServer, this.#readOnly].map((s) => new Promise<void>((resolve) => (s ? s.close(() => resolve()) : resolve())));
    for (const socket of this.#sockets) socket.destroy();
    this.#healthServer?.closeAllConnections();
    this.#readOnly?.closeAllConnections();
    await Promise.all(closed);
  }

  /** A node whose health nobody can ask for goes on being one: as upstream, it is tried again later. */
  async #listenSometime(server: http.Server, port: number, host: string): Promise<void> {
    try {
      await listen(server, port, host);
    } catch (error) {
      const { clock, logger } = this.#deps;
      logger.error('the health port cannot be opened; will try again', { port, err: error });
      const { signal } = this.#stopping;
      void clock.sleep(HEALTHZ_RETRY_MS, signal).then(
        () => this.#listenSometime(server, port, host),
        () => {},
      );
    }
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  async #selfSigned(): Promise<{ cert: string; key: string }> {
    const { nodeName, hostname, nodeIPs } = this.#options;
    const now = this.#deps.clock.now();
    const ca = await createCa(`${nodeName}-ca`, now);
    const pair = await issueCertificate(ca, {
      subject: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] },
      dnsNames: [...new Set([nodeName, hostname, 'localhost'])],
      ipAddresses: [...new Set([...nodeIPs, '127.0.0.1'])],
      usage: 'server',
      now,
      validForMs: LEAF_VALIDITY_MS,
    });
    return { cert: pair.cert + ca.cert, key: pair.key };
  }

  async #admit(request: IncomingMessage, path: string): Promise<void> {
    const user = await this.#deps.auth.authenticate(request).catch((error: unknown) => {
      this.#deps.logger.warn('authenticating a request failed', { err: error });
      return undefined;
    });
    if (!user) throw new HttpError(401, 'Unauthorized');
    const refused = await this.#deps.auth.authorize(user, request.method ?? 'GET', path).catch((error: unknown) => {
      throw new HttpError(500, `Authorization error (user=${user.name}): ${(error as Error).message}`);
    });
    if (refused) throw new HttpError(403, refused);
  }

  async #request(request: IncomingMessage, response: ServerResponse, readOnly = false): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client went away')));
    try {
      const url = new URL(request.url ?? '/', 'https://kubelet');
      if (!readOnly) await this.#admit(request, url.pathname);
      else refuseWrites(request, response);
      const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
      await this.#route(parts[0] ?? '', parts[1], readOnly)({ request, response, url, parts: parts.slice(1), signal: gone.signal });
    } catch (error) {
      if (gone.signal.aborted) return;
      const status = error instanceof HttpError ? error.status : 500;
      if (status === 500) this.#deps.logger.warn('a request failed', { path: request.url, err: error });
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${(error as Error).message}\n`);
    }
  }

  /** On the read-only port: what needs no permission to look at. */
  #route(name: string, below: string | undefined, readOnly: boolean): Handler {
    const always: Record<string, Handler> = {
      healthz: ({ response, url }) => this.#healthz(response, url.pathname, url.searchParams),
      pods: readOf((c) => json(c.response, podList(this.#deps.pods()))),
      metrics: (c) => this.#metrics(c),
      // Who may see these two is asked: not on the port that asks nobody.
      ...(readOnly ? {} : { statusz: this.#zPage, flagz: this.#zPage }),
      stats: async (c) => {
        if (c.parts[0] !== 'summary') throw new HttpError(404, '404 page not found');
        const { stats } = this.#deps;
        const narrow = c.url.searchParams.get('only_cpu_and_memory') === 'true';
        await json(c.response, await (narrow ? stats.cpuAndMemory() : stats.detailed()));
      },
    };
    const debugging = readOnly ? {} : this.#options.enableDebuggingHandlers ? this.#debugging(below) : disabled(below);
    const handler = Object.hasOwn(always, name) ? always[name] : Object.hasOwn(debugging, name) ? debugging[name] : undefined;
    if (!handler) throw new HttpError(404, '404 page not found');
    return handler;
  }

  #debugging(below: string | undefined): Record<string, Handler> {
    const { enableSystemLogHandler, enableProfilingHandler, enableDebugFlagsHandler, podLogsDir, rootDir } = this.#options;
    const { runningPods, runtime, access, clock, logger, configuration } = this.#deps;
    const debug: Record<string, Handler> = {
      flags:
        enableDebugFlagsHandler && logger.setVerbosity ? (c) => debugFlags(c, (level) => logger.setVerbosity?.(level)) : off('flags endpoint is disabled.'),
      pprof: enableProfilingHandler ? readOf((c) => profile(c.request, c.response)) : off('profiling endpoint is disabled.'),
    };
    return {
      containerLogs: readOf((c) => this.#logs(c)),
      run: (c) => this.#run(c),
      logs: enableSystemLogHandler
        ? readOf(({ parts, request, response }) => serveLogFile(dirname(podLogsDir), parts, request, response))
        : off('logs endpoint is disabled.'),
      ...(below !== undefined && Object.hasOwn(debug, below) ? { debug: debug[below] as Handler } : {}),
      configz: (c) => json(c.response, { kubeletconfig: { ...configurationOf({ ...this.#options, port: this.port }), ...configuration } }),
      runningpods: readOf((c) => json(c.response, podList(runningPods()))),
      checkpoint: async (c) => json(c.response, await checkpoint(c, { runtime, access, clock, rootDir })),
      exec: needsUpgrade,
      attach: needsUpgrade,
      portForward: needsUpgrade,
    };
  }

  readonly #zPage = readOf(async ({ request, response, url }) => {
    const { flags } = this.#deps;
    const paths = [
      ...PATHS,
      ...(flags ? ['/flagz'] : []),
      ...Object.keys(this.#options.enableDebuggingHandlers ? this.#debugging('pprof') : {}).map((name) => `/${name}`),
    ];
    const answer = zPageAnswer({ component: 'kubelet', ...(flags ? { flags } : {}) }, url.pathname, request.headers.accept, paths);
    if (!answer) throw new HttpError(404, '404 page not found');
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });

  async #healthz(response: ServerResponse, path: string, query: URLSearchParams): Promise<void> {
    const { status, body } = (await this.#health.answer(path, query)) ?? { status: 404, body: '404 page not found\n' };
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
  }

  async #metrics({ response, parts }: Call): Promise<void> {
    const { stats, metrics, probeMetrics } = this.#deps;
    let found: Metric[];
    switch (parts[0]) {
      case undefined:
        response.writeHead(200, { 'content-type': PROMETHEUS_TEXT }).end(metrics() + formatMetrics(volumeMetrics(await stats.claims())));
        return;
      case 'slis':
        response.writeHead(200, { 'content-type': PROMETHEUS_TEXT }).end(this.#health.metrics());
        return;
      case 'resource':
        found = resourceMetrics(await stats.summary());
        break;
      case 'cadvisor':
        found = cadvisorMetrics(await stats.networked());
        break;
      case 'probes':
        found = probeMetrics();
        break;
      default:
        throw new HttpError(404, '404 page not found');
    }
    response.writeHead(200, { 'content-type': PROMETHEUS_TEXT }).end(formatMetrics(found));
  }

  async #logs({ response, url, parts, signal }: Call): Promise<void> {
    const [namespace = '', name = '', container = ''] = parts;
    const { access, podChanged, containerRunning, waitingReason, clock } = this.#deps;
    const query = url.searchParams;
    const flag = (key: string) => query.get(key) === 'true' || query.get(key) === '1';
    const number = (key: string) => {
      const text = query.get(key);
      if (text === null || text === '') return undefined;
      const value = Number(text);
      if (!Number.isInteger(value) || value < 0) throw new HttpError(422, `invalid value for ${key}: ${JSON.stringify(text)} must be a non-negative integer`);
      return value;
    };
    // What `tailLines` was called once; `all` is as good as nothing.
    const tail = query.get('tail');
    if (tail) query.delete('tailLines');
    if (tail && tail !== 'all') query.set('tailLines', tail);
    const tailLines = number('tailLines');
    const sinceSeconds = number('sinceSeconds');
    const limitBytes = number('limitBytes');
    const sinceMs = sinceSeconds !== undefined ? clock.now() - sinceSeconds * 1000 : parseTime(query.get('sinceTime'));
    const stream = query.get('stream');
    const target = access.logged(namespace, name, container, flag('previous'), waitingReason);
    const { pod } = access.pod(namespace, name);
    const uid = pod.metadata?.uid ?? '';
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    response.flushHeaders();
    const chunks = readLogs(
      target.logPath,
      {
        follow: flag('follow'),
        timestamps: flag('timestamps'),
        ...(tailLines !== undefined ? { tailLines } : {}),
        ...(sinceMs !== undefined ? { sinceMs } : {}),
        ...(limitBytes !== undefined ? { limitBytes } : {}),
        ...(stream === 'Stdout' || stream === 'Stderr' ? { stream } : {}),
      },
      { running: () => containerRunning(target.id), changed: (s) => podChanged(uid, s) },
      signal,
    );
    for await (const chunk of chunks) {
      if (response.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        response.once('drain', resolve);
        response.once('close', resolve);
      });
    }
    response.end();
  }

  async #run({ request, response, url, parts }: Call): Promise<void> {
    if (request.method !== 'POST') throw new HttpError(405, 'Method Not Allowed');
    const [namespace = '', name = '', third = '', fourth] = parts;
    const container = this.#deps.access.running(namespace, name, fourth ?? third, fourth ? third : undefined);
    const cmd = (url.searchParams.get('cmd') ?? '').split(' ').filter(Boolean);
    const result = await this.#deps.runtime.execSync({ containerId: container.id, cmd, timeout: 0n }, { timeoutMs: 0 });
    const output = Buffer.concat([result.stdout, result.stderr]);
    if (result.exitCode !== 0) throw new HttpError(500, `command '${cmd.join(' ')}' exited with ${result.exitCode}: ${output.toString('utf8')}`);
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(output);
  }

  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'https://kubelet');
      await this.#admit(request, url.pathname);
      if (!this.#options.enableDebuggingHandlers) throw new HttpError(405, 'Debug endpoints are disabled.');
      const target = await this.#streamingUrl(url);
      proxyUpgrade(request, socket, head, new URL(target), this.#options.streamingConnectionIdleTimeoutMs);
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500;
      const body = `${(error as Error).message}\n`;
      socket.end(
        `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    }
  }

  async #streamingUrl(url: URL): Promise<string> {
    const [what, namespace = '', name = '', third = '', fourth] = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    const { access, runtime } = this.#deps;
    const query = url.searchParams;
    // The API server says input/output/error where users say stdin/stdout/stderr.
    const on = (...keys: string[]) => keys.some((k) => query.get(k) === 'true' || query.get(k) === '1');
    const streams = { tty: on('tty'), stdin: on('input', 'stdin'), stdout: on('output', 'stdout'), stderr: on('error', 'stderr') && !on('tty') };
    switch (what) {
      case 'exec': {
        const container = access.running(namespace, name, fourth ?? third, fourth ? third : undefined);
        return (await runtime.exec({ containerId: container.id, cmd: query.getAll('command'), ...this.#some(streams) })).url;
      }
      case 'attach': {
        const container = access.running(namespace, name, fourth ?? third, fourth ? third : undefined);
        return (await runtime.attach({ containerId: container.id, ...this.#some(streams) })).url;
      }
      case 'portForward': {
        const sandbox = access.sandbox(namespace, name, third || undefined);
        const port = query
          .getAll('port')
          .flatMap((p) => p.split(','))
          .map(Number)
          .filter((p) => Number.isInteger(p) && p > 0 && p < 65_536);
        return (await runtime.portForward({ podSandboxId: sandbox, port })).url;
      }
      default:
        throw new HttpError(404, '404 page not found');
    }
  }

  #some<T extends { stdin: boolean; stdout: boolean; stderr: boolean }>(streams: T): T {
    if (!streams.stdin && !streams.stdout && !streams.stderr) throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr');
    return streams;
  }
}

/** With `enableDebuggingHandlers: false`. */
function disabled(below: string | undefined): Record<string, Handler> {
  const names = ['run', 'exec', 'attach', 'portForward', 'containerLogs', 'runningpods', 'logs', ...(below === 'pprof' ? ['debug'] : [])];
  return Object.fromEntries(names.map((name) => [name, off('Debug endpoints are disabled.')]));
}

async function needsUpgrade(): Promise<void> {
  throw new HttpError(400, 'Upgrade request required');
}

async function json(response: ServerResponse, body: unknown): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function podList(items: readonly Pod[]): object {
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}

function listen(server: http.Server | https.Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
