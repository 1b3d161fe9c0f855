import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiServerSuite } from '@coxswain/sdk-testing';
import { startPrimary } from '@coxswain/testing';
import { kitchenServer } from './main.js';

apiServerSuite({
  name: 'kitchen',
  async start() {
    const primary = await startPrimary();
    const state = mkdtempSync(join(tmpdir(), 'kitchen-'));
    const kubeconfig = await primary.kubeconfig('kitchen', ['system:masters']);
    const { server, close } = await kitchenServer({ kubeconfig, address: '127.0.0.1', state });
    await server.start(new AbortController().signal);
    await primary.register(server);
    const meta = { apiVersion: 'kitchen.example.com/v1alpha1' };
    return {
      server,
      primary: { url: primary.url, ca: primary.ca, token: primary.adminToken },
      nobodyToken: 'bob',
      frontProxy: primary.frontProxy,
      kinds: [
        {
          version: 'v1alpha1',
          plural: 'recipes',
          kind: 'Recipe',
          namespace: 'default',
          write: {
            object: (name) => ({ ...meta, kind: 'Recipe', metadata: { name }, spec: { servings: 2, ingredients: ['flour'] } }),
            change: (recipe) => void (recipe.spec.servings = 3),
            invalid: { object: (name) => ({ ...meta, kind: 'Recipe', metadata: { name }, spec: { servings: 0 } }), field: 'spec.servings' },
          },
        },
        {
          version: 'v1alpha1',
          plural: 'stoves',
          kind: 'Stove',
          write: {
            object: (name) => ({ ...meta, kind: 'Stove', metadata: { name }, spec: { plates: 4 } }),
            change: (stove) => void (stove.spec.on = true),
            invalid: { object: (name) => ({ ...meta, kind: 'Stove', metadata: { name }, spec: { plates: 9 } }), field: 'spec.plates' },
          },
        },
      ],
      async stop() {
        await server.stop(AbortSignal.timeout(5000));
        await close();
        await primary[Symbol.asyncDispose]();
        rmSync(state, { recursive: true, force: true });
      },
    };
  },
});
