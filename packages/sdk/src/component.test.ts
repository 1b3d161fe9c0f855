import { expect, it } from 'vitest';
import { type ComponentRun, RunsComponent } from './component.js';

const calls: string[] = [];
class Run implements ComponentRun {
  constructor(
    readonly id: number,
    readonly fails: boolean,
  ) {}
  async start() {
    calls.push(`start ${this.id}`);
    if (this.fails) throw new Error('no port');
  }
  async stop() {
    calls.push(`stop ${this.id}`);
    if (this.fails) throw new Error('nothing to stop');
  }
}

class Runs extends RunsComponent<Run> {
  readonly name = 'runs';
  fails = false;
  #made = 0;
  get id(): number | undefined {
    return this.running?.id;
  }
  protected makeRun(): Run {
    return new Run(++this.#made, this.fails);
  }
}

it('each start makes a run, which a stop ends; one that fails is stopped, and why it failed is told', async () => {
  const component = new Runs();
  const phases: string[] = [];
  component.state$.subscribe(({ phase, message }) => phases.push(message === undefined ? phase : `${phase}: ${message}`));
  const signal = AbortSignal.timeout(1000);
  await component.start(signal);
  await component.start(signal);
  expect(component.id).toBe(1);
  await component.stop(signal);
  await component.stop(signal);
  component.fails = true;
  await expect(component.start(signal)).rejects.toThrow('no port');
  expect(component.id).toBeUndefined();
  expect(calls).toEqual(['start 1', 'stop 1', 'start 2', 'stop 2']);
  expect(phases).toEqual(['stopped', 'starting', 'ready', 'stopping', 'stopped', 'starting', 'failed: no port']);
});
