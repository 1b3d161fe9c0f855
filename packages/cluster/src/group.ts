import { type Component, ComponentStateCell } from '@coxswain/sdk';

/** Several components as one: started side by side, stopped in reverse. For kinds a cluster may have any number of, such as add-ons. */
export function group(name: string, members: readonly Component[]): Component {
  const cell = new ComponentStateCell();
  let started: Component[] = [];
  const stopAll = async (deadline: AbortSignal) => {
    const failures: unknown[] = [];
    for (const member of started.splice(0).reverse()) await member.stop(deadline).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, failures.map((f) => (f as Error).message).join('; '));
  };
  return {
    name,
    state$: cell.state$,
    async start(signal) {
      cell.set('starting');
      const outcomes = await Promise.allSettled(members.map((member) => member.start(signal)));
      started = members.filter((_, i) => outcomes[i]?.status === 'fulfilled');
      const failures = outcomes.filter((o) => o.status === 'rejected').map((o) => o.reason as unknown);
      if (failures.length > 0) {
        await stopAll(AbortSignal.timeout(5000)).catch((error: unknown) => failures.push(error));
        const message = failures.map((f) => (f as Error).message).join('; ');
        cell.set('failed', message);
        throw new AggregateError(failures, message);
      }
      cell.set('ready');
    },
    async stop(deadline) {
      cell.set('stopping');
      await stopAll(deadline);
      cell.set('stopped');
    },
  };
}
