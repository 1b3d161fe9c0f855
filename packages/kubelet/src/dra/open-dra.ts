import { ClaimRecords } from './claim-records.js';
import { DraDrivers, type DraDriversDeps } from './dra-drivers.js';
import { DraManager } from './dra-manager.js';

/** What a node knows of dynamic resources: who drives them, and what pods have of them. */
export interface Dra {
  readonly drivers: DraDrivers;
  readonly manager: DraManager;
}

/** Goes on from what `file` tells of a former life. */
export async function openDra(file: string, deps: DraDriversDeps): Promise<Dra> {
  const drivers = new DraDrivers(deps);
  const records = new ClaimRecords(file);
  await records.load();
  return { drivers, manager: new DraManager({ client: deps.client, drivers, records }) };
}
