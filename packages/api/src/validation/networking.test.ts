import { describe, expect, test } from 'vitest';
import { admit, update, updateStatus } from '../testing/admit.js';

const net = (kind: string, spec: object, metadata: object = {}): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind,
  metadata: { name: 'x', ...metadata },
  spec,
});
const backend = { service: { name: 's', port: { number: 80 } } };
const rule = (host: string, path: object = {}): object => ({ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...path }] } });
const policy = (peer: object, ports: object[] = []): object => net('NetworkPolicy', { podSelector: {}, ingress: [{ from: [peer], ports }] });
const CLASS = 'kubernetes.io/ingress.class';

describe('what is wrong with new objects', () => {
  test.each<[object, ...string[]]>([
    [net('Ingress', { defaultBackend: backend, ingressClassName: 'a' }, { annotations: { [CLASS]: 'a' } })],
    [
      net('Ingress', { defaultBackend: backend, ingressClassName: 'a' }, { annotations: { [CLASS]: 'b' } }),
      `annotations.${CLASS}: Invalid value: "b": must match \`ingressClassName\` when both are specified`,
    ],
    [net('Ingress', { rules: [rule('1.2.3.4')] }), 'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'],
    [
      net('Ingress', { rules: [rule('a', { pathType: 'X' })] }),
      'spec.rules[0].http.paths[0].pathType: Unsupported value: "X": supported values: "Exact", "ImplementationSpecific", "Prefix"',
    ],
    [net('IngressClass', {}), 'spec.controller: Required value'],
    [policy({ podSelector: {} }, [{ endPort: 80 }]), 'spec.ingress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is not specified'],
    [
      policy({ podSelector: {} }, [{ port: 'http', endPort: 80 }]),
      'spec.ingress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is non-numeric',
    ],
    [policy({ podSelector: {} }, [{ port: 90, endPort: 80 }]), 'spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`'],
    [policy({ podSelector: {} }, [{ protocol: 'X' }]), 'spec.ingress[0].ports[0].protocol: Unsupported value: "X": supported values: "TCP", "UDP", "SCTP"'],
    [
      policy({ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }),
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ],
  ])('%#', (object, ...errors) => expect(admit(object).errors).toEqual(errors));
});

test('what is stored with a fault that is found only now may stay', () => {
  const { object } = admit(net('Ingress', { rules: [rule('*.a.b')], tls: [{ secretName: 'a' }] }));
  object.spec.tls[0].secretName = 'A';
  object.spec.rules[0].http.paths[0].path = 'x';
  object.spec.rules[0].http.paths[0].backend = { service: { name: '1a', port: { number: 80 } } };
  expect(update(object, ({ metadata }) => void (metadata.labels = { a: 'b' })).errors).toEqual([]);
  const { object: stored } = admit(policy({ ipBlock: { cidr: '10.0.0.0/8' } }));
  stored.spec.ingress[0].from[0].ipBlock.cidr = 'x';
  expect(update(stored, ({ metadata }) => void (metadata.labels = { a: 'b' })).errors).toEqual([]);
});

test('the status of an ingress', () => {
  const { object } = admit(net('Ingress', { defaultBackend: backend }));
  const { errors } = updateStatus(object, (it) => void (it.status = { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '1.2.3.4' }] } }));
  expect(errors).toEqual([
    'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ]);
});

test('warnings', () => {
  expect(admit(net('Ingress', { defaultBackend: backend }, { annotations: { [CLASS]: 'a' } })).warnings).toEqual([
    `annotation "${CLASS}" is deprecated, please use 'spec.ingressClassName' instead`,
  ]);
  expect(admit(policy({ ipBlock: { cidr: '010.0.0.0/8' } })).warnings).toEqual([
    'spec.ingress[0].from[0].ipBlock.cidr: non-standard CIDR value "010.0.0.0/8" will be considered invalid in a future Kubernetes release: use "10.0.0.0/8"',
  ]);
});
