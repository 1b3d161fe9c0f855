import { badSeccomp } from './baseline.js';
import { containers, containersOf, containersWhere, inUserNamespace, isWindows, plural, quoted, setters, sorted } from './check.js';
import type { Check } from './check.js';

const VOLUME_TYPES = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']);

/** What comes on top of the baseline. */
export const restrictedChecks: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    from: 8,
    run(pod, minor) {
      if (minor >= 25 && isWindows(pod)) return undefined;
      const names = containersWhere(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
      if (names.length === 0) return undefined;
      return { reason: 'allowPrivilegeEscalation != false', detail: `${containers(names)} must set securityContext.allowPrivilegeEscalation=false` };
    },
  },
  {
    id: 'capabilities_restricted',
    from: 22,
    overrides: ['capabilities_baseline'],
    run(pod, minor) {
      if (minor >= 25 && isWindows(pod)) return undefined;
      const keeping = containersWhere(pod, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'));
      const added = (names: readonly string[] | undefined) => (names ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
      const adding = containersWhere(pod, ({ securityContext }) => added(securityContext?.capabilities?.add).length > 0);
      const details: string[] = [];
      if (keeping.length > 0) details.push(`${containers(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
      if (adding.length > 0) {
        const names = sorted(containersOf(pod).flatMap(({ securityContext }) => added(securityContext?.capabilities?.add)));
        details.push(`${containers(adding)} must not include ${quoted(names)} in securityContext.capabilities.add`);
      }
      return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
    },
  },
  {
    id: 'restrictedVolumes',
    from: 0,
    overrides: ['hostPathVolumes'],
    run({ spec }) {
      const typeOf = (volume: object) => Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
      const bad = (spec.volumes ?? []).filter((volume) => !VOLUME_TYPES.has(typeOf(volume)));
      if (bad.length === 0) return undefined;
      const types = sorted(bad.map(typeOf));
      const who = `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(({ name }) => name))} ${plural('uses', 'use', bad.length)}`;
      return {
        reason: 'restricted volume types',
        detail: `${who} ${plural('restricted volume type', 'restricted volume types', types.length)} ${quoted(types)}`,
      };
    },
  },
  {
    id: 'runAsNonRoot',
    from: 0,
    run(pod, minor) {
      if (inUserNamespace(pod, minor)) return undefined;
      const inPod = pod.spec.securityContext?.runAsNonRoot;
      const reason = 'runAsNonRoot != true';
      const who = setters(
        inPod === false,
        containersWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === false),
      );
      if (who !== '') return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
      if (inPod === true) return undefined;
      const names = containersWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
      return names.length === 0 ? undefined : { reason, detail: `pod or ${containers(names)} must set securityContext.runAsNonRoot=true` };
    },
  },
  {
    id: 'runAsUser',
    from: 23,
    run(pod, minor) {
      if (inUserNamespace(pod, minor)) return undefined;
      const who = setters(
        pod.spec.securityContext?.runAsUser === 0,
        containersWhere(pod, ({ securityContext }) => securityContext?.runAsUser === 0),
      );
      return who === '' ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` };
    },
  },
  {
    id: 'seccompProfile_restricted',
    from: 19,
    overrides: ['seccompProfile_baseline'],
    run(pod, minor) {
      if (minor >= 25 && isWindows(pod)) return undefined;
      const bad = badSeccomp(pod);
      if (bad) return bad;
      if (pod.spec.securityContext?.seccompProfile) return undefined;
      const names = containersWhere(pod, ({ securityContext }) => !securityContext?.seccompProfile);
      if (names.length === 0) return undefined;
      return {
        reason: 'seccompProfile',
        detail: `pod or ${containers(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      };
    },
  },
];
