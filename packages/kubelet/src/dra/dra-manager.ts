import type { Container, Pod, ResourceClaim } from '@coxswain/api';
import { claimOfPod, extendedResourceClaimOf, foreignClaim, isReservedFor } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import { KeyedTurns } from '../csi/keyed-turns.js';
import type { ClaimRecord, ClaimRecords, RecordedDevice } from './claim-records.js';
import type { DraDrivers } from './dra-drivers.js';

export interface DraManagerDeps {
  readonly client: KubeClient;
  readonly drivers: Pick<DraDrivers, 'get'>;
  readonly records: ClaimRecords;
}

type ContainerClaims = Pick<Container, 'name' | 'resources'>;

/**
 * Has devices of a pod's claims made ready by their drivers before its containers start, and given back when they have ended. What was asked of
 * a driver is on disk before it is asked.
 */
export class DraManager {
  readonly #deps: DraManagerDeps;
  /** Drivers are asked about a claim by one at a time. */
  readonly #turns = new KeyedTurns();

  constructor(deps: DraManagerDeps) {
    this.#deps = deps;
  }

  /** Resolves when all claims of the pod are ready; at once when it has none, or nothing has changed. */
  async prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    const wanted: { readonly name: string; readonly generated: boolean }[] = [];
    for (const podClaim of pod.spec?.resourceClaims ?? []) {
      const of = claimOfPod(pod, podClaim);
      if (of.type === 'pending') throw new Error(of.reason);
      if (of.type === 'named') wanted.push(of);
    }
    const extended = extendedResourceClaimOf(pod);
    if (extended !== undefined) wanted.push({ name: extended, generated: true });
    for (const { name, generated } of wanted) {
      const claim = await this.#claim(pod, name, generated, signal);
      await this.#turns.take(claim.metadata.uid ?? '', () => this.#prepareOne(pod, claim, signal));
    }
  }

  /** CDI names of the devices a container asks for, by claims or as extended resources. The pod has been prepared. */
  devicesOf(pod: Pod, { name: container, resources }: ContainerClaims): string[] {
    const names = new Set<string>();
    const add = (claim: string, request: string | undefined) => {
      const record = this.#deps.records.ofPod(pod.metadata.uid ?? '').find((r) => r.name === claim);
      if (!record) throw new Error(`resource claim ${claim} is not prepared`);
      for (const device of Object.values(record.drivers).flatMap((devices) => devices ?? []))
        if (isFor(device, request)) for (const cdi of device.cdiDevices) names.add(cdi);
    };
    for (const { name, request } of resources?.claims ?? []) {
      const podClaim = pod.spec?.resourceClaims?.find((c) => c.name === name);
      const of = podClaim && claimOfPod(pod, podClaim);
      if (of?.type === 'named') add(of.name, request);
    }
    const { resourceClaimName = '', requestMappings = [] } = pod.status?.extendedResourceClaimStatus ?? {};
    for (const { containerName, requestName } of requestMappings) if (containerName === container) add(resourceClaimName, requestName);
    return [...names];
  }

  /** The pod's containers have ended: gives back what no other pod uses. Rejects until all drivers have done so. */
  async unprepare(podUid: string, signal: AbortSignal): Promise<void> {
    for (const { uid } of this.#deps.records.ofPod(podUid)) await this.#turns.take(uid, () => this.#unprepareOne(uid, podUid, signal));
  }

  /** Pods that have claims here. */
  pods(): Set<string> {
    return new Set(this.#deps.records.all().flatMap(({ pods }) => pods));
  }

  async #claim(pod: Pod, name: string, generated: boolean, signal: AbortSignal): Promise<ResourceClaim> {
    const claim = await this.#deps.client.api.resourceClaims(pod.metadata.namespace).get(name, { signal });
    const foreign = generated ? foreignClaim(pod, claim) : undefined;
    if (foreign) throw new Error(foreign);
    if (!isReservedFor(pod, claim))
      throw new Error(`pod ${pod.metadata.name}(${pod.metadata.uid}) is not allowed to use resource claim ${name}(${claim.metadata.uid})`);
    if (!claim.status?.allocation) throw new Error(`resource claim ${name} is not allocated`);
    return claim;
  }

  async #prepareOne(pod: Pod, claim: ResourceClaim, signal: AbortSignal): Promise<void> {
    const { records } = this.#deps;
    const { namespace = '', name = '', uid = '' } = claim.metadata;
    const podUid = pod.metadata.uid ?? '';
    const results = claim.status?.allocation?.devices?.results ?? [];
    const before = records.get(uid);
    const wanted = [...new Set(results.map((r) => r.driver))];
    let record: ClaimRecord = {
      namespace,
      name,
      uid,
      pods: [...new Set([...(before?.pods ?? []), podUid])],
      drivers: Object.fromEntries(wanted.map((driver) => [driver, before?.drivers[driver]])),
    };
    if (before?.pods.includes(podUid) && wanted.every((driver) => record.drivers[driver])) return;
    await records.set(record);
    for (const driver of wanted) {
      if (record.drivers[driver]) continue;
      const devices = await this.#askToPrepare(driver, { namespace, name, uid }, signal);
      record = { ...record, drivers: { ...record.drivers, [driver]: devices } };
      await records.set(record);
    }
  }

  async #askToPrepare(driver: string, claim: { namespace: string; name: string; uid: string }, signal: AbortSignal): Promise<RecordedDevice[]> {
    const { plugin } = this.#deps.drivers.get(driver);
    const { claims } = await plugin.nodePrepareResources({ claims: [claim] }, { signal }).catch((error: unknown) => {
      throw new Error(`NodePrepareResources failed: ${(error as Error).message}`, { cause: error });
    });
    const answer = claims[claim.uid];
    if (!answer) throw new Error(`NodePrepareResources skipped ResourceClaim ${claim.name}`);
    if (answer.error !== '') throw new Error(`NodePrepareResources failed for ResourceClaim ${claim.name}: ${answer.error}`);
    return answer.devices.map((d) => ({ requests: d.requestNames, pool: d.poolName, device: d.deviceName, cdiDevices: d.cdiDeviceIds }));
  }

  async #unprepareOne(uid: string, podUid: string, signal: AbortSignal): Promise<void> {
    const { records, drivers } = this.#deps;
    const record = records.get(uid);
    if (!record?.pods.includes(podUid)) return;
    if (record.pods.length > 1) return records.set({ ...record, pods: record.pods.filter((p) => p !== podUid) });
    // The pod stays in the record until all drivers are through: it is what brings us back.
    const claim = { namespace: record.namespace, name: record.name, uid };
    for (const driver of Object.keys(record.drivers)) {
      const { claims } = await drivers
        .get(driver)
        .plugin.nodeUnprepareResources({ claims: [claim] }, { signal })
        .catch((error: unknown) => {
          throw new Error(`NodeUnprepareResources failed: ${(error as Error).message}`, { cause: error });
        });
      const answer = claims[uid];
      if (!answer) throw new Error(`NodeUnprepareResources skipped ResourceClaim ${record.name}`);
      if (answer.error !== '') throw new Error(`NodeUnprepareResources failed for ResourceClaim ${record.name}: ${answer.error}`);
    }
    await records.delete(uid);
  }
}

/** Devices of a subrequest are named after the request, too. */
function isFor({ requests }: RecordedDevice, request: string | undefined): boolean {
  return !request || requests.length === 0 || requests.some((r) => r === request || r.split('/')[0] === request);
}
