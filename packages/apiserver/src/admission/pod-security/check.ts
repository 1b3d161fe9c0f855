import type { KubeObject } from '@coxswain/api';

/** What a pod does that a level forbids. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export interface PodView {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpecView;
}

interface SeLinuxOptions {
  readonly type?: string;
  readonly user?: string;
  readonly role?: string;
}

interface SecurityContext {
  readonly privileged?: boolean;
  readonly procMount?: string;
  readonly allowPrivilegeEscalation?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly seLinuxOptions?: SeLinuxOptions;
  readonly seccompProfile?: { readonly type?: string };
  readonly appArmorProfile?: { readonly type?: string };
  readonly windowsOptions?: { readonly hostProcess?: boolean };
  readonly sysctls?: readonly { readonly name: string }[];
}

interface Handler {
  readonly httpGet?: { readonly host?: string };
  readonly tcpSocket?: { readonly host?: string };
}

export interface ContainerView {
  readonly name: string;
  readonly image?: string;
  readonly securityContext?: SecurityContext;
  readonly ports?: readonly { readonly hostPort?: number }[];
  readonly livenessProbe?: Handler;
  readonly readinessProbe?: Handler;
  readonly startupProbe?: Handler;
  readonly lifecycle?: { readonly postStart?: Handler; readonly preStop?: Handler };
}

export interface PodSpecView {
  readonly containers?: readonly ContainerView[];
  readonly initContainers?: readonly ContainerView[];
  readonly ephemeralContainers?: readonly ContainerView[];
  readonly volumes?: readonly ({ readonly name: string } & Readonly<Record<string, unknown>>)[];
  readonly securityContext?: SecurityContext;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly hostUsers?: boolean;
  readonly os?: { readonly name?: string };
}

/** One rule of a level. `from` is the minor version of the policy that brought it. */
export interface Check {
  readonly id: string;
  readonly from: number;
  /** The last version it is part of. */
  readonly until?: number;
  /** Checks this one makes superfluous. */
  readonly overrides?: readonly string[];
  readonly run: (pod: PodView, minor: number) => Violation | undefined;
}

/** Of a pod or of a pod template. */
export function podView(from: { readonly metadata?: KubeObject['metadata']; readonly spec?: unknown }): PodView {
  return { annotations: from.metadata?.annotations ?? {}, spec: (from.spec ?? {}) as PodSpecView };
}

/** Init containers first, as upstream visits them. */
export function containersOf({ spec }: PodView): ContainerView[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

export function containersWhere(pod: PodView, wrong: (container: ContainerView) => boolean): string[] {
  return containersOf(pod)
    .filter(wrong)
    .map(({ name }) => name);
}

export const quoted = (values: readonly string[]): string => values.map((value) => JSON.stringify(value)).join(', ');
export const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();
export const plural = (one: string, many: string, count: number): string => (count === 1 ? one : many);
export const containers = (names: readonly string[]): string => `${plural('container', 'containers', names.length)} ${quoted(names)}`;

/** `pod`, `containers "a", "b"` or both. */
export function setters(pod: boolean, names: readonly string[]): string {
  return [...(pod ? ['pod'] : []), ...(names.length > 0 ? [containers(names)] : [])].join(' and ');
}

/** Root in a user namespace is nobody outside of it: rules about users do not hold there. */
export function inUserNamespace({ spec }: PodView, minor: number): boolean {
  return spec.hostUsers === false && minor >= 35;
}

export const isWindows = ({ spec }: PodView): boolean => spec.os?.name === 'windows';
