import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startPrimary } from '@coxswain/testing';
import { expect, test } from 'vitest';
import { kitchenServer } from './main.js';

const kubectl = fileURLToPath(new URL('../../../../.cache/bin/kubectl', import.meta.url));

test('kubectl works with a custom API as with any other, watches too', async () => {
  await using primary = await startPrimary();
  const folder = mkdtempSync(join(tmpdir(), 'kitchen-'));
  const kubeconfig = await primary.kubeconfig('kitchen', ['system:masters']);
  const { server, close } = await kitchenServer({ kubeconfig, address: '127.0.0.1', state: join(folder, 'state') });
  const start = (...args: string[]) => spawn(kubectl, args, { env: { ...process.env, KUBECONFIG: kubeconfig, HOME: folder } });
  const run = async (args: readonly string[], input = ''): Promise<string> => {
    const child = start(...args);
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stdin.end(input);
    await new Promise((resolve) => child.once('close', resolve));
    return out;
  };
  const recipe = (name: string, servings: number, more = '') =>
    `{apiVersion: kitchen.example.com/v1alpha1, kind: Recipe, metadata: {name: ${name}, namespace: default}, spec: {servings: ${servings}, ingredients: [flour, salt]${more}}}`;
  try {
    await server.start(new AbortController().signal);
    await primary.register(server);
    expect(await run(['api-resources', '--api-group=kitchen.example.com'])).toMatch(/recipes\s+rcp\s+kitchen.example.com\/v1alpha1\s+true\s+Recipe/);

    const watching = start('get', 'rcp', '--watch', '--output-watch-events');
    let seen = '';
    watching.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const shown = async (pattern: RegExp) => {
      while (!pattern.test(seen)) await sleep(20);
    };
    expect(await run(['apply', '-f', '-'], recipe('bread', 2))).toContain('recipe.kitchen.example.com/bread created');
    await shown(/ADDED\s+bread\s+2\s+flour, salt/);
    expect(await run(['apply', '-f', '-'], recipe('bread', 3))).toContain('configured');
    await shown(/MODIFIED\s+bread\s+3/);
    expect(await run(['delete', 'recipe', 'bread'])).toContain('deleted');
    await shown(/DELETED\s+bread/);
    watching.kill();

    expect(await run(['apply', '-f', '-'], recipe('cake', 8, ', difficulty: hard'))).toContain('a hard recipe serves 4 at most');
    expect(await run(['apply', '-f', '-'], recipe('soup', 0))).toContain('spec.servings');
    await run(['apply', '-f', '-'], recipe('rolls', 4));
    expect(await run(['get', 'recipe', 'rolls', '-o', 'wide'])).toMatch(/NAME\s+SERVINGS\s+INGREDIENTS\s+DIFFICULTY\s+AGE\s+rolls\s+4\s+flour, salt\s+easy/);
    expect(await run(['get', 'recipes', '--field-selector', 'spec.difficulty=hard'])).toContain('No resources found');
    expect(await run(['explain', 'recipe.spec.servings'])).toMatch(/KIND:\s+Recipe[\s\S]*FIELD: servings <integer>/);
    const list = JSON.parse(await run(['get', '--raw', '/apis/kitchen.example.com/v1alpha1/namespaces/default/recipes/rolls/shoppinglist?guests=6']));
    expect(list).toMatchObject({ kind: 'ShoppingList', items: ['flour', 'salt'], times: 1.5 });
    expect(await run(['patch', 'recipe', 'rolls', '--type=merge', '-p', '{"spec":{"servings":2}}'])).toContain('patched');
    expect(await run(['delete', 'namespace', 'kitchen-test'])).toContain('not found');
  } finally {
    await server.stop(AbortSignal.timeout(5000));
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
});
