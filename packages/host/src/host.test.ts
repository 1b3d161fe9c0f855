import { type Component, configObject, ComponentStateCell, defineComponent, definePlugin, field, token, use } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { all, component, createHost, HostError } from './index.js';

interface Greeter {
  greet(): string;
  close?(): Promise<void>;
}
const Greeter = token<Greeter>('test.greeter.v1');

const greeter = definePlugin({
  point: 'test.greeter.v1',
  name: 'greeter',
  description: 'greets',
  sdk: '^0.1.0',
  config: configObject({ word: field.string('hello'), times: field.integer(1, 1, 3) }),
  module: ({ word, times }) => new ContainerModule((o) => void o.bind(Greeter).toConstantValue({ greet: () => word.repeat(times) })),
});

function recorded(name: string, log: string[], failure?: 'start' | 'stop'): Component {
  return defineComponent(name, async () => {
    if (failure === 'start') throw new Error(`${name} cannot`);
    log.push(`start ${name}`);
    return async () => {
      log.push(`stop ${name}`);
      if (failure === 'stop') throw new Error(`${name} hangs on`);
    };
  });
}

describe('createHost', () => {
  test('reports every problem of a composition together', async () => {
    const old = definePlugin({ ...greeter, name: 'old', sdk: '^9.0.0' });
    const failure = await createHost({
      plugins: [use(greeter, { word: 3 as never, times: 9 }), use(greeter), use(old)],
      components: [component('a', [], () => recorded('a', []), { after: ['b'] }), component('b', [], () => recorded('b', []), { after: ['a', 'nobody'] })],
    }).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(HostError);
    expect((failure as HostError).problems.map((p) => p.code).sort()).toEqual([
      'dependency-cycle',
      'duplicate-plugin',
      'invalid-config',
      'invalid-config',
      'sdk-version',
      'unknown-dependency',
    ]);
    expect((failure as Error).message).toContain('plugin "greeter": times must be between 1 and 3, got 9');
    expect((failure as Error).message).toContain('a → b → a');
  });

  test('names who needs a token that nothing binds', async () => {
    await expect(createHost({ components: [component('a', [Greeter], () => recorded('a', []))] })).rejects.toThrow('component "a" needs test.greeter.v1');
  });

  test('resolves tokens, starts in order, stops in reverse and closes what plugins opened last', async () => {
    const log: string[] = [];
    const closing = new ContainerModule(
      (o) => void o.bind(Greeter).toResolvedValue(async () => ({ greet: () => 'hi', close: async () => void log.push('close') })),
    );
    const host = await createHost({
      modules: [closing],
      components: [
        component('second', [Greeter], (g) => recorded(`second ${g.greet()}`, log), { after: ['first'] }),
        component('first', [], () => recorded('first', log)),
      ],
    });
    expect(log).toEqual([]);
    await host.start();
    expect(await firstValueFrom(host.state$)).toMatchObject({ first: { phase: 'ready' }, second: { phase: 'ready' } });
    await host.stop();
    await host.stop();
    expect(log).toEqual(['start first', 'start second hi', 'stop second hi', 'stop first', 'close']);
  });

  test('gives all plugins of a kind, and an empty list when there is none', async () => {
    const seen: string[] = [];
    const take = component('taker', [all(Greeter)], (greeters) => {
      seen.push(greeters.map((g) => g.greet()).join());
      return recorded('taker', []);
    });
    await createHost({ components: [take] });
    await createHost({ plugins: [use(greeter, { word: 'a' }), use({ ...greeter, name: 'other' }, { word: 'b' })], components: [take] });
    expect(seen).toEqual(['', 'a,b']);
  });

  test('a failed start stops only what started and tells all failures', async () => {
    const log: string[] = [];
    const host = await createHost({
      components: [
        component('store', [], () => recorded('store', log)),
        component('bad', [], () => recorded('bad', log, 'start'), { after: ['store'] }),
        component('never', [], () => recorded('never', log), { after: ['bad'] }),
      ],
    });
    await expect(host.start()).rejects.toThrow('bad failed to start: bad cannot');
    expect(log).toEqual(['start store', 'stop store']);
  });

  test('a component that never stops does not keep the others from stopping', async () => {
    const log: string[] = [];
    const cell = new ComponentStateCell();
    const stuck: Component = { name: 'stuck', state$: cell.state$, start: async () => {}, stop: () => new Promise(() => {}) };
    const host = await createHost({
      stopDeadlineMs: 20,
      components: [component('first', [], () => recorded('first', log)), component('stuck', [], () => stuck, { after: ['first'] })],
    });
    await host.start();
    await expect(host.stop()).rejects.toThrow('stuck failed to stop');
    expect(log).toEqual(['start first', 'stop first']);
  });
});
