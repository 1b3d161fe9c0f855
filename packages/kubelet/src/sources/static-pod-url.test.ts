import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Pod } from '@coxswain/api';
import { silentLogger, systemClock } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StaticPodUrl } from './static-pod-url.js';

let server: Server;
let answer: { status: number; body: string };
let asked: IncomingHttpHeaders;
let url: string;
const stop = new AbortController();

beforeEach(async () => {
  server = createServer((request, response) => {
    asked = request.headers;
    response.writeHead(answer.status).end(answer.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pods`;
});
afterEach(() => {
  stop.abort();
  server.closeAllConnections();
  server.close();
});

const pod = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } });

it('runs what a URL answers with, and goes on with it while the server is away', async () => {
  const source = new StaticPodUrl({ url, headers: { 'x-node': ['a', 'b'] }, nodeName: 'n', checkMs: 10 }, systemClock, silentLogger);
  const told: string[][] = [];
  answer = { status: 200, body: 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: i}]}\n' };
  const running = source.run((pods: Pod[]) => void told.push(pods.map((p) => p.metadata?.name ?? '')), stop.signal);
  await expect.poll(() => told).toEqual([['web-n']]);
  expect(asked['x-node']).toBe('a, b');
  answer = { status: 503, body: 'away' };
  await new Promise((resolve) => server.once('request', resolve));
  answer = { status: 200, body: JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: [pod('web'), pod('db')] }) };
  await expect.poll(() => told.at(-1)).toEqual(['web-n', 'db-n']);
  answer = { status: 200, body: JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: [] }) };
  await expect.poll(() => told.at(-1)).toEqual([]);
  expect(told).toHaveLength(3);
  stop.abort();
  await running;
});
