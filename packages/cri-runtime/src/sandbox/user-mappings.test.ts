import { NamespaceMode } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import { checkContainerUsers, hostId, hostOwner, mappingsOf, requestedUsers, specMappings } from './user-mappings.js';

const map = { containerId: 0, hostId: 100_000, length: 65_536 };
const { POD, NODE, CONTAINER, TARGET } = NamespaceMode;
const users = (over: object = {}) => ({ usernsOptions: { mode: POD, uids: [map], gids: [map], ...over } });

describe('user namespaces that are asked for', () => {
  it('are none by default, and for the host’s users', () => {
    expect(requestedUsers(undefined)).toBeUndefined();
    expect(requestedUsers({})).toBeUndefined();
    expect(requestedUsers(users({ mode: NODE, uids: [], gids: [] }))).toBeUndefined();
    expect(requestedUsers(users())).toEqual({ uids: [map], gids: [map] });
  });

  it.each([
    [users({ mode: CONTAINER }), /unsupported user namespace mode: CONTAINER/],
    [users({ mode: TARGET }), /unsupported user namespace mode: TARGET/],
    [users({ uids: [] }), /one UID mapping is needed/],
    [users({ uids: [], gids: [] }), /one UID mapping is needed/],
    [users({ gids: [map, map] }), /one GID mapping is needed for a user namespace, got 2/],
    [users({ uids: [{ ...map, containerId: 1 }] }), /does not map container id 0/],
    [users({ gids: [{ ...map, length: 0 }] }), /has length 0/],
    [{ ...users(), network: NODE }, /host's network namespace/],
    [{ ...users(), ipc: NODE }, /host's ipc namespace/],
    [{ ...users(), pid: NODE }, /host's pid namespace/],
  ])('%j is refused', (options, reason) => expect(() => requestedUsers(options)).toThrow(reason));

  it('are the pod’s in its containers', () => {
    const own = requestedUsers(users());
    expect(() => checkContainerUsers(users(), own)).not.toThrow();
    expect(() => checkContainerUsers(undefined, own)).not.toThrow();
    expect(() => checkContainerUsers(users(), undefined)).toThrow(/its pod has none/);
    expect(() => checkContainerUsers(users({ gids: [{ ...map, hostId: 5 }] }), own)).toThrow(/not its pod's/);
  });
});

describe('ids', () => {
  it('are shifted within their range', () => {
    expect([0, 65_535, 65_536].map((id) => hostId([map], id))).toEqual([100_000, 165_535, undefined]);
    const mapped = { uids: [map], gids: [{ ...map, hostId: 200_000 }] };
    expect(hostOwner({ uid: 7, gid: 8 }, mapped)).toEqual({ uid: 100_007, gid: 200_008 });
    expect(hostOwner({ uid: 70_000, gid: 70_000 }, mapped)).toEqual({ uid: 100_000, gid: 200_000 });
    expect(hostOwner({ uid: 7, gid: 8 }, undefined)).toEqual({ uid: 7, gid: 8 });
  });

  it('go into a specification and come out of it', () => {
    const linux = { uidMappings: specMappings([map]), gidMappings: specMappings([map]) };
    expect(linux.uidMappings).toEqual([{ containerID: 0, hostID: 100_000, size: 65_536 }]);
    expect(mappingsOf({ ociVersion: '1.0.2', linux })).toEqual({ uids: [map], gids: [map] });
    expect(mappingsOf({ ociVersion: '1.0.2', linux: {} })).toBeUndefined();
  });
});
