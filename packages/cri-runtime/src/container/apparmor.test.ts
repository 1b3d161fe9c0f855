import { create } from '@bufbuild/protobuf';
import { LinuxContainerSecurityContextSchema, SecurityProfile_ProfileType as ProfileType } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import { appArmorProfile, loadedProfiles } from './apparmor.js';

const LOADED = 'docker-default (enforce)\n/usr/bin/man (complain)\nname with spaces (enforce)\n';

it('profiles of the kernel are read by name', () => expect([...loadedProfiles(LOADED)]).toEqual(['docker-default', '/usr/bin/man', 'name with spaces']));

describe('the profile of a container', () => {
  const of = (init: object, supported = true) => appArmorProfile(create(LinuxContainerSecurityContextSchema, init), supported, async () => LOADED);
  const local = (localhostRef: string) => ({ profileType: ProfileType.Localhost, localhostRef });
  it('is none unless one is named', async () => {
    expect(await of({})).toBeUndefined();
    expect(await of({ apparmorProfile: 'unconfined' })).toBeUndefined();
    expect(await of({ apparmor: { profileType: ProfileType.Unconfined } })).toBeUndefined();
  });
  it('comes from either field, the newer one first', async () => {
    expect(await of({ apparmorProfile: 'localhost/docker-default' })).toBe('docker-default');
    expect(await of({ apparmorProfile: 'localhost/missing', apparmor: local('localhost/docker-default') })).toBe('docker-default');
  });
  it('must be loaded, and known to the machine at all', async () => {
    await expect(of({ apparmor: local('missing') })).rejects.toThrow(/profile not found missing/);
    await expect(of({ apparmor: local('docker-default') }, false)).rejects.toThrow(/not supported/);
    await expect(of({ apparmorProfile: 'docker-default' })).rejects.toThrow(/unknown AppArmor profile/);
  });
});
