import { readFile } from 'node:fs/promises';
import { CriError, type LinuxContainerSecurityContext, SecurityProfile_ProfileType as ProfileType } from '@coxswain/cri';

const LOADED = '/sys/kernel/security/apparmor/profiles';

/** Names of the profiles in the kernel, from lines such as `docker-default (enforce)`. Pure. */
export function loadedProfiles(text: string): ReadonlySet<string> {
  return new Set(
    text.split('\n').flatMap((line) => {
      const name = /^(.+) \(\w+\)$/.exec(line.trim())?.[1];
      return name === undefined ? [] : [name];
    }),
  );
}

/**
 * The AppArmor profile a container is to be confined by; undefined: none. CRI's newer field wins over the deprecated one, and a profile
 * that is not loaded is refused here, when the container is created, not when it starts.
 */
export async function appArmorProfile(
  security: LinuxContainerSecurityContext | undefined,
  supported: boolean,
  loaded: () => Promise<string> = () => readFile(LOADED, 'utf8'),
): Promise<string | undefined> {
  const name = localName(security);
  if (name === undefined) return undefined;
  if (!supported) throw new CriError('unknown', 'failed to generate apparmor spec opts: apparmor is not supported');
  if (!loadedProfiles(await loaded()).has(name)) throw new CriError('unknown', `failed to generate apparmor spec opts: apparmor profile not found ${name}`);
  return name;
}

function localName(security: LinuxContainerSecurityContext | undefined): string | undefined {
  const bare = (reference: string) => reference.replace(/^localhost\//, '');
  const profile = security?.apparmor;
  if (profile) return profile.profileType === ProfileType.Localhost ? bare(profile.localhostRef) : undefined;
  const legacy = security?.apparmorProfile ?? '';
  if (legacy === '' || legacy === 'unconfined' || legacy === 'runtime/default') return undefined;
  if (!legacy.startsWith('localhost/')) throw new CriError('invalidArgument', `unknown AppArmor profile ${JSON.stringify(legacy)}`);
  return bare(legacy);
}
