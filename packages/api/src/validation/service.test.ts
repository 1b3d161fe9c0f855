import { describe, expect, test } from 'vitest';
import { admit, update, updateStatus } from '../testing/admit.js';

const ports = [{ port: 80 }];
const service = (spec: object, annotations?: Record<string, string>): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', ...(annotations && { annotations }) },
  spec: { ports, ...spec },
});
const [ONE, TWO, SIX] = ['10.0.0.1', '10.0.0.2', 'fd00::1'];

describe('a new service', () => {
  test.each<[object, ...string[]]>([
    [{ type: 'LoadBalancer', clusterIP: 'None' }, 'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for LoadBalancer services'],
    [{ type: 'ExternalName', externalName: 'a.b.', clusterIP: ONE }, 'spec.clusterIPs: Forbidden: may not be set for ExternalName services'],
    [
      { type: 'ExternalName', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
      'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
      'spec.externalName: Required value',
    ],
    [{ clusterIP: ONE, clusterIPs: [TWO] }, `spec.clusterIPs: Invalid value: ["${TWO}"]: first value must match \`clusterIP\``],
    [{ clusterIPs: [ONE] }, `spec.clusterIPs: Invalid value: ["${ONE}"]: must be empty when \`clusterIP\` is not specified`],
    [{ clusterIP: ONE, clusterIPs: [ONE, TWO] }, `spec.clusterIPs: Invalid value: ["${ONE}","${TWO}"]: may specify no more than one IP for each IP family`],
    [
      { clusterIP: ONE, clusterIPs: [ONE, SIX], ipFamilies: ['IPv6', 'IPv4'] },
      `spec.clusterIPs[0]: Invalid value: "${ONE}": expected an IPv6 value as indicated by \`ipFamilies[0]\``,
      `spec.clusterIPs[1]: Invalid value: "${SIX}": expected an IPv4 value as indicated by \`ipFamilies[1]\``,
    ],
    [{ clusterIP: 'None', clusterIPs: ['None', ONE] }, `spec.clusterIPs: Invalid value: ["None","${ONE}"]: 'None' must be the first and only value`],
    [{ externalIPs: ['127.0.0.1'] }, 'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    [{ externalIPs: ['::'] }, 'spec.externalIPs[0]: Invalid value: "::": may not be unspecified (::)'],
    [{ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, 'spec.healthCheckNodePort: Required value'],
    [{ loadBalancerSourceRanges: [' 10.0.0.0/8 '] }, "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    [{ trafficDistribution: 'X' }, 'spec.trafficDistribution: Unsupported value: "X": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'],
    [
      {
        ports: [
          { port: 80, name: 'a' },
          { port: 80, name: 'b' },
        ],
      },
      'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
    ],
  ])('%#', (spec, ...errors) => expect(admit(service(spec)).errors).toEqual(errors));

  test('ranges and hints that annotations say', () => {
    expect(admit(service({ type: 'LoadBalancer' }, { 'service.beta.kubernetes.io/load-balancer-source-ranges': 'x' })).errors).toEqual([
      'metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ]);
    const hints = { 'service.kubernetes.io/topology-aware-hints': 'a', 'service.kubernetes.io/topology-mode': 'b' };
    expect(admit(service({}, hints)).errors).toEqual([
      'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "b": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
    ]);
  });

  test('with external addresses has a policy for traffic from outside', () => {
    expect(admit(service({ externalIPs: ['1.2.3.4'] })).object.spec.externalTrafficPolicy).toBe('Cluster');
  });

  test.each<[object, ...string[]]>([
    [{ externalIPs: ['1.2.3.4'] }, 'spec.externalIPs is deprecated and may no longer be implemented in some clusters'],
    [{ externalName: 'a' }, 'spec.externalName is ignored when spec.type is not "ExternalName"'],
    [{ trafficDistribution: 'PreferClose' }, 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    [
      { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.1.2.3/8'] },
      'spec.loadBalancerSourceRanges[0]: CIDR value "10.1.2.3/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.2.3/32"?)',
    ],
  ])('is warned of %#', (spec, ...warnings) => expect(admit(service(spec)).warnings).toEqual(warnings));
});

describe('a service that changes', () => {
  const dual = { clusterIP: ONE, clusterIPs: [ONE, SIX], ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'PreferDualStack' };
  test.each<[object, object, ...string[]]>([
    [dual, { clusterIPs: [ONE], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }],
    [
      dual,
      { clusterIPs: [ONE], ipFamilies: ['IPv4'] },
      'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary clusterIP',
      'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary ipFamily',
    ],
    [{ clusterIP: ONE }, { clusterIP: TWO, clusterIPs: [TWO] }, `spec.clusterIPs[0]: Invalid value: ["${TWO}"]: may not change once set`],
    [
      { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30000 },
      { healthCheckNodePort: 30001 },
      'spec.healthCheckNodePort: Forbidden: field is immutable',
    ],
    [
      { type: 'LoadBalancer', loadBalancerClass: 'a/b' },
      { loadBalancerClass: undefined },
      'spec.loadBalancerClass: Invalid value: "null": may not change once set',
    ],
  ])('%#', (spec, change, ...errors) => {
    const { object } = admit(service(spec));
    expect(update(object, (it) => void Object.assign(it.spec, change)).errors).toEqual(errors);
  });

  test.each<[string, object, ...string[]]>([
    ['ClusterIP', { ip: '1.2.3.4' }, "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"],
    ['LoadBalancer', { ip: '1.2.3.4' }],
    ['LoadBalancer', { ip: '1.2.3.4', ipMode: 'X' }, 'status.loadBalancer.ingress[0].ipMode: Unsupported value: "X": supported values: "Proxy", "VIP"'],
    ['LoadBalancer', { ipMode: 'VIP' }, 'status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set'],
    ['LoadBalancer', { hostname: '1.2.3.4' }, 'status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'],
  ])('the status of a %s %#', (type, ingress, ...errors) => {
    const { object } = admit(service({ type }));
    expect(updateStatus(object, (it) => void (it.status = { loadBalancer: { ingress: [ingress] } })).errors).toEqual(errors);
  });
});
