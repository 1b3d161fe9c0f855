import { type Command, CliError } from '@coxswain/command';
import { describe, expect, it } from 'vitest';
import { controllerManagerCommand } from './controller-manager-command.js';
import { controllerManagerConfig, type ControllerManagerFlags } from './run-controller-manager.js';

function parse(...args: string[]): ControllerManagerFlags {
  const command: Command = controllerManagerCommand().configureOutput({ writeErr: () => {} });
  command.action(() => {});
  return command.parse(args, { from: 'user' }).opts();
}
const config = (...args: string[]) => controllerManagerConfig(parse(...args));

describe('kube-controller-manager’s flags', () => {
  it("kubeadm's", () => {
    // Files are read when the program starts: these flags are checked alone.
    const flags = parse(
      '--allocate-node-cidrs=true',
      '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf',
      '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf',
      '--bind-address=127.0.0.1',
      '--client-ca-file=/etc/kubernetes/pki/ca.crt',
      '--cluster-cidr=10.244.0.0/16',
      '--cluster-name=kubernetes',
      '--cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt',
      '--cluster-signing-key-file=/etc/kubernetes/pki/ca.key',
      '--controllers=*,bootstrapsigner,tokencleaner',
      '--kubeconfig=/etc/kubernetes/controller-manager.conf',
      '--leader-elect=true',
      '--requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt',
      '--root-ca-file=/etc/kubernetes/pki/ca.crt',
      '--service-account-private-key-file=/etc/kubernetes/pki/sa.key',
      '--service-cluster-ip-range=10.96.0.0/12',
      '--use-service-account-credentials=true',
    );
    expect(flags).toMatchObject({
      controllers: ['*', 'bootstrapsigner', 'tokencleaner'],
      serviceClusterIpRange: '10.96.0.0/12',
      useServiceAccountCredentials: true,
    });
  });

  it('say what the manager does', () => {
    expect(config()).toMatchObject({
      controllers: ['*'],
      nodeMonitorGracePeriod: 50,
      nodeCidrMaskSizeIPv4: 24,
      leaderElection: { name: 'kube-controller-manager' },
    });
    expect(
      config(
        '--leader-elect=false',
        '--cluster-cidr=10.0.0.0/8,fd00::/48',
        '--node-cidr-mask-size-ipv4=26',
        '--node-cidr-mask-size-ipv6=80',
        '--concurrent-deployment-syncs=9',
        '--concurrent-gc-syncs=0',
        '--terminated-pod-gc-threshold=100',
        '--cluster-signing-cert-file=',
        '--cluster-signing-key-file=',
      ),
    ).toMatchObject({
      leaderElection: undefined,
      clusterCidrs: ['10.0.0.0/8', 'fd00::/48'],
      nodeCidrMaskSizeIPv4: 26,
      nodeCidrMaskSizeIPv6: 80,
      concurrency: { 'deployment-controller': 9, 'garbage-collector-controller': 1 },
      terminatedPodGCThreshold: 100,
    });
    expect(config('--cluster-cidr=fd00::/48', '--node-cidr-mask-size=72')).toMatchObject({ nodeCidrMaskSizeIPv4: 24, nodeCidrMaskSizeIPv6: 72 });
  });

  it.each([
    [['--cluster-cidr=10.0.0.0/8,fd00::/48', '--node-cidr-mask-size=26'], 'is for clusters of one family'],
    [['--cluster-cidr=10.0.0.0/16', '--node-cidr-mask-size=8'], '--node-cidr-mask-size-ipv4: 8 does not fit into --cluster-cidr 10.0.0.0/16'],
    [['--leader-elect-lease-duration=5s'], '--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline'],
    [['--cluster-signing-cert-file=/x'], 'go together'],
    [['--root-ca-file=/no/such/ca.crt'], '--root-ca-file: /no/such/ca.crt cannot be read: ENOENT'],
  ])('%j is refused', (args, message) => expect(() => config(...args)).toThrow(new RegExp(message.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'))));

  it('refusals are for people', () => expect(() => config('--root-ca-file=/no/such/ca.crt')).toThrow(CliError));

  it.each([
    [['--cloud-provider=aws'], 'clouds are the cloud controller manager’s'],
    [['--enable-dynamic-provisioning=false'], 'provisioners make volumes'],
    [['--leader-elect-resource-lock=endpoints'], 'leaders are elected by leases'],
    [['--nope'], "unknown option '--nope'"],
  ])('%j is refused at once', (args, message) => expect(() => parse(...args)).toThrow(message));
});
