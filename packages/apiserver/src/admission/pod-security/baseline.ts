import { containers, containersOf, containersWhere, inUserNamespace, plural, quoted, setters, sorted } from './check.js';
import type { Check, PodView } from './check.js';

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const SAFE_PROFILES = new Set(['RuntimeDefault', 'Localhost']);
const SELINUX_TYPES = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t']);
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

/** Sysctls that are safe, by the version of the policy that let them in. */
const SYSCTLS: readonly (readonly [from: number, names: readonly string[]])[] = [
  [
    0,
    ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start'],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [29, ['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes']],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
];

/** In upstream's order, which is that of the text. */
export const baselineChecks: readonly Check[] = [
  {
    id: 'appArmorProfile',
    from: 0,
    run(pod) {
      const bad = (type: string | undefined) => type !== undefined && !SAFE_PROFILES.has(type);
      const podType = pod.spec.securityContext?.appArmorProfile?.type;
      const names = containersWhere(pod, ({ securityContext }) => bad(securityContext?.appArmorProfile?.type));
      const types = [podType, ...containersOf(pod).map(({ securityContext }) => securityContext?.appArmorProfile?.type)].filter(bad) as string[];
      const annotations = Object.entries(pod.annotations)
        .filter(([key, value]) => key.startsWith(APPARMOR) && value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'))
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .sort();
      const values = [...sorted(types), ...annotations];
      if (values.length === 0) return undefined;
      const who = [setters(bad(podType), names), annotations.length > 0 ? plural('annotation', 'annotations', annotations.length) : ''];
      return {
        reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', values.length),
        detail: `${who.filter((part) => part !== '').join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
      };
    },
  },
  {
    id: 'capabilities_baseline',
    from: 0,
    run(pod) {
      const added = (names: readonly string[] | undefined) => (names ?? []).filter((name) => !DEFAULT_CAPABILITIES.has(name));
      const names = containersWhere(pod, ({ securityContext }) => added(securityContext?.capabilities?.add).length > 0);
      if (names.length === 0) return undefined;
      const capabilities = sorted(containersOf(pod).flatMap(({ securityContext }) => added(securityContext?.capabilities?.add)));
      return {
        reason: 'non-default capabilities',
        detail: `${containers(names)} must not include ${quoted(capabilities)} in securityContext.capabilities.add`,
      };
    },
  },
  {
    id: 'hostNamespaces',
    from: 0,
    run({ spec }) {
      const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec[name] === true);
      return used.length === 0 ? undefined : { reason: 'host namespaces', detail: used.map((name) => `${name}=true`).join(', ') };
    },
  },
  {
    id: 'hostPathVolumes',
    from: 0,
    run({ spec }) {
      const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
      return names.length === 0 ? undefined : { reason: 'hostPath volumes', detail: `${plural('volume', 'volumes', names.length)} ${quoted(names)}` };
    },
  },
  {
    id: 'hostPorts',
    from: 0,
    run(pod) {
      const names = containersWhere(pod, ({ ports }) => (ports ?? []).some(({ hostPort }) => (hostPort ?? 0) !== 0));
      if (names.length === 0) return undefined;
      const ports = sorted(
        containersOf(pod).flatMap((each) => (each.ports ?? []).filter(({ hostPort }) => (hostPort ?? 0) !== 0).map((p) => String(p.hostPort))),
      );
      const noun = plural('hostPort', 'hostPorts', ports.length);
      return { reason: noun, detail: `${containers(names)} ${plural('uses', 'use', names.length)} ${noun} ${ports.join(', ')}` };
    },
  },
  {
    id: 'hostProbesAndHostLifecycle',
    from: 34,
    run(pod) {
      const hosts = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: ReturnType<typeof containersOf>[number]) =>
        [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
          .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
          .filter((host): host is string => host !== undefined && host !== '');
      const names = sorted(containersWhere(pod, (container) => hosts(container).length > 0));
      if (names.length === 0) return undefined;
      const used = sorted(containersOf(pod).flatMap(hosts));
      return {
        reason: 'probe or lifecycle host',
        detail: `${containers(names)} ${plural('uses', 'use', names.length)} ${plural('probe or lifecycle host', 'probe or lifecycle hosts', used.length)} ${quoted(used)}`,
      };
    },
  },
  {
    id: 'privileged',
    from: 0,
    run(pod) {
      const names = containersWhere(pod, ({ securityContext }) => securityContext?.privileged === true);
      return names.length === 0 ? undefined : { reason: 'privileged', detail: `${containers(names)} must not set securityContext.privileged=true` };
    },
  },
  {
    id: 'procMount',
    from: 0,
    run(pod, minor) {
      if (inUserNamespace(pod, minor)) return undefined;
      const bad = (value: string | undefined) => value !== undefined && value !== 'Default';
      const names = containersWhere(pod, ({ securityContext }) => bad(securityContext?.procMount));
      if (names.length === 0) return undefined;
      const values = sorted(
        containersOf(pod).flatMap(({ securityContext }) => (bad(securityContext?.procMount) ? [securityContext?.procMount as string] : [])),
      );
      return { reason: 'procMount', detail: `${containers(names)} must not set securityContext.procMount to ${quoted(values)}` };
    },
  },
  {
    id: 'seLinuxOptions',
    from: 0,
    run(pod) {
      const all = [pod.spec.securityContext?.seLinuxOptions, ...containersOf(pod).map(({ securityContext }) => securityContext?.seLinuxOptions)];
      const bad = (options: (typeof all)[number]) => options !== undefined && (!SELINUX_TYPES.has(options.type ?? '') || !!options.user || !!options.role);
      const names = containersWhere(pod, ({ securityContext }) => bad(securityContext?.seLinuxOptions));
      const who = setters(bad(all[0]), names);
      if (who === '') return undefined;
      const types = sorted(all.flatMap((options) => (options && !SELINUX_TYPES.has(options.type ?? '') ? [options.type as string] : [])));
      const data = [
        ...(types.length > 0 ? [`${plural('type', 'types', types.length)} ${quoted(types)}`] : []),
        ...(all.some((options) => options?.user) ? ['user may not be set'] : []),
        ...(all.some((options) => options?.role) ? ['role may not be set'] : []),
      ];
      return { reason: 'seLinuxOptions', detail: `${who} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}` };
    },
  },
  { id: 'seccompProfile_annotations', from: 0, until: 18, run: seccompAnnotations },
  {
    id: 'seccompProfile_baseline',
    from: 19,
    run: (pod) => badSeccomp(pod),
  },
  {
    id: 'sysctls',
    from: 0,
    run({ spec }, minor) {
      const safe = new Set(SYSCTLS.flatMap(([from, names]) => (minor >= from ? names : [])));
      const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safe.has(name));
      return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
    },
  },
  {
    id: 'windowsHostProcess',
    from: 0,
    run(pod) {
      const inPod = pod.spec.securityContext?.windowsOptions?.hostProcess === true;
      const names = containersWhere(pod, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
      const who = setters(inPod, names);
      return who === '' ? undefined : { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
    },
  },
];

function seccompAnnotations(pod: PodView) {
  const bad = sorted(
    [SECCOMP_POD, ...containersOf(pod).map(({ name }) => SECCOMP_CONTAINER + name)].flatMap((key) => {
      const value = pod.annotations[key];
      const fine = value === undefined || value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');
      return fine ? [] : [`${key}=${JSON.stringify(value)}`];
    }),
  );
  return bad.length === 0 ? undefined : { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', 'annotations', bad.length)} ${bad.join(', ')}` };
}

/** Profiles that are set, and to something else than the allowed ones. */
export function badSeccomp(pod: PodView) {
  const bad = (type: string | undefined) => type !== undefined && !SAFE_PROFILES.has(type);
  const podType = pod.spec.securityContext?.seccompProfile?.type;
  const names = containersWhere(pod, ({ securityContext }) => bad(securityContext?.seccompProfile?.type));
  const who = setters(bad(podType), names);
  if (who === '') return undefined;
  const values = sorted([podType, ...containersOf(pod).map(({ securityContext }) => securityContext?.seccompProfile?.type)].filter(bad) as string[]);
  return { reason: 'seccompProfile', detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(values)}` };
}
