import { CriError, NamespaceMode } from '@coxswain/cri';
import type { RuntimeSpec, SpecIdMapping } from '@coxswain/oci';

/** Ids `containerId`… of a user namespace are `hostId`… outside of it. */
export interface IdMapping {
  readonly containerId: number;
  readonly hostId: number;
  readonly length: number;
}

/** Whom a user namespace's users and groups are on the host. Both include 0. */
export interface UserMappings {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/** The user namespace of a pod that runs. */
export interface PodUsers extends UserMappings {
  /** By which others join it. */
  readonly path: string;
}

interface NamespaceOptions {
  readonly network?: NamespaceMode;
  readonly ipc?: NamespaceMode;
  readonly pid?: NamespaceMode;
  readonly usernsOptions?: UserMappings & { readonly mode: NamespaceMode };
}

/** What is asked for; undefined: the host's users. Throws `invalidArgument` for what CRI allows nobody to ask for. Pure. */
export function requestedUsers(options: NamespaceOptions | undefined): UserMappings | undefined {
  const users = options?.usernsOptions;
  if (!users || users.mode === NamespaceMode.NODE) return undefined;
  if (users.mode !== NamespaceMode.POD) throw new CriError('invalidArgument', `unsupported user namespace mode: ${NamespaceMode[users.mode]}`);
  for (const [kind, list] of [
    ['UID', users.uids],
    ['GID', users.gids],
  ] as const) {
    if (list.length !== 1) throw new CriError('invalidArgument', `one ${kind} mapping is needed for a user namespace, got ${list.length} mappings`);
    for (const map of list) {
      if (map.containerId !== 0) throw new CriError('invalidArgument', `the ${kind} mapping of the user namespace does not map container id 0`);
      if (map.length === 0) throw new CriError('invalidArgument', `the ${kind} mapping of the user namespace has length 0`);
    }
  }
  // What is the host's belongs to its own user namespace: /sys, /dev/mqueue and /proc of it cannot be mounted from another.
  for (const kind of ['network', 'ipc', 'pid'] as const)
    if (options?.[kind] === NamespaceMode.NODE) throw new CriError('invalidArgument', `a pod with a user namespace cannot use the host's ${kind} namespace`);
  return plain(users);
}

/** A container is in its pod's user namespace, and must not ask for another one. Pure. */
export function checkContainerUsers(options: NamespaceOptions | undefined, ofPod: UserMappings | undefined): void {
  const own = requestedUsers(options);
  if (own && !ofPod) throw new CriError('invalidArgument', 'the container asks for a user namespace, its pod has none');
  if (own && ofPod && !sameMappings(own, ofPod)) throw new CriError('invalidArgument', "the container's user namespace mappings are not its pod's");
}

export const sameMappings = (a: UserMappings, b: UserMappings) => JSON.stringify(plain(a)) === JSON.stringify(plain(b));

/** Whom an id is on the host; undefined: nobody. Pure. */
export function hostId(mappings: readonly IdMapping[], id: number): number | undefined {
  const map = mappings.find((m) => id >= m.containerId && id < m.containerId + m.length);
  return map && map.hostId + (id - map.containerId);
}

/** Whom the namespace's root is on the host. */
export const hostRoot = ({ uids, gids }: UserMappings) => ({ uid: uids[0]?.hostId ?? 0, gid: gids[0]?.hostId ?? 0 });

/** Whom a process that runs as `user` in the pod is on the host; its root where the user is nobody outside. Pure. */
export function hostOwner(
  user: { readonly uid: number; readonly gid: number },
  users: UserMappings | undefined,
): { readonly uid: number; readonly gid: number } {
  if (!users) return { uid: user.uid, gid: user.gid };
  const root = hostRoot(users);
  return { uid: hostId(users.uids, user.uid) ?? root.uid, gid: hostId(users.gids, user.gid) ?? root.gid };
}

export const specMappings = (mappings: readonly IdMapping[]): SpecIdMapping[] =>
  mappings.map((m) => ({ containerID: m.containerId, hostID: m.hostId, size: m.length }));

/** The other way round. */
export function mappingsOf({ linux }: RuntimeSpec): UserMappings | undefined {
  const back = (list: readonly SpecIdMapping[]) => list.map((m) => ({ containerId: m.containerID, hostId: m.hostID, length: m.size }));
  return linux?.uidMappings && linux.gidMappings ? { uids: back(linux.uidMappings), gids: back(linux.gidMappings) } : undefined;
}

const plain = ({ uids, gids }: UserMappings): UserMappings => ({ uids: uids.map(copy), gids: gids.map(copy) });
const copy = ({ containerId, hostId: host, length }: IdMapping): IdMapping => ({ containerId, hostId: host, length });
