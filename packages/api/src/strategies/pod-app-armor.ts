import type { AppArmorProfile, Pod } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { APPARMOR_CONTAINER } from '../validation/pod/annotations.js';
import { addAppArmor } from '../validation/pod/security.js';
import { visitContainers } from '../validation/pod/visit.js';
import type { Sink } from '../validation/sink.js';

const LOCALHOST = 'localhost/';

/** Of a new pod's field and annotation for a container the one that is there makes the other, as there are nodes that know but one of them. */
export function matchAppArmor({ metadata, spec }: Pod): void {
  if (!spec || spec.os?.name === 'windows') return;
  const ofPod = spec.securityContext?.appArmorProfile;
  visitContainers(spec, '', (container) => {
    const key = APPARMOR_CONTAINER + container.name;
    const annotation = metadata.annotations?.[key];
    const own = container.securityContext?.appArmorProfile;
    if (annotation === undefined) {
      const made = annotationOf(own ?? ofPod);
      if (made !== undefined) metadata.annotations = { ...metadata.annotations, [key]: made };
      return;
    }
    const profile = own ? undefined : profileOf(annotation);
    if (profile && !deepEqual(profile, ofPod)) container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  });
}

function annotationOf(profile: AppArmorProfile | undefined): string | undefined {
  switch (profile?.type) {
    case 'Unconfined':
      return 'unconfined';
    case 'RuntimeDefault':
      return 'runtime/default';
    case 'Localhost':
      return profile.localhostProfile === undefined ? undefined : LOCALHOST + profile.localhostProfile;
    default:
      return undefined;
  }
}

function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  if (!annotation.startsWith(LOCALHOST)) return undefined;
  const profile: AppArmorProfile = { type: 'Localhost', localhostProfile: annotation.slice(LOCALHOST.length) };
  const wrong: Sink = [];
  addAppArmor(wrong, '', profile);
  return wrong.length > 0 ? undefined : profile;
}
