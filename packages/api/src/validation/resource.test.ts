import { describe, expect, test } from 'vitest';
import { admit } from '../testing/admit.js';

const metadata = { name: 'x' };
const apiVersion = 'resource.k8s.io/v1';
const exactly = (more: object = {}) => ({ deviceClassName: 'gpu', ...more });
const claim = (devices: object) => ({ apiVersion, kind: 'ResourceClaim', metadata, spec: { devices } });
const slice = (spec: object) => ({
  apiVersion,
  kind: 'ResourceSlice',
  metadata,
  spec: { driver: 'gpu.example.com', pool: { name: 'p', resourceSliceCount: 1 }, nodeName: 'n', ...spec },
});
const devices = (device: object, more: object = {}) => slice({ devices: [{ name: 'd', ...device }], ...more });
const deviceClass = (spec: object) => ({ apiVersion, kind: 'DeviceClass', metadata, spec });
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

const NO_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
const MANY_PLACES = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set';
const ONE_PLACE_OF_A_DEVICE =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';

const CASES: readonly (readonly [object: object, ...errors: string[]])[] = [
  [claim({ requests: [{ name: 'r' }] }), 'spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
  [
    claim({
      requests: [
        { name: 'r', exactly: exactly() },
        { name: 'r', exactly: exactly() },
      ],
    }),
    'spec.devices.requests[1]: Duplicate value: "r"',
  ],
  [claim({ requests: many(33, (i) => ({ name: `r${i}`, exactly: exactly() })) }), 'spec.devices.requests: Too many: 33: must have at most 32 items'],
  [
    claim({ requests: [{ name: 'r', firstAvailable: many(9, (i) => ({ name: `s${i}`, ...exactly() })) }] }),
    'spec.devices.requests[0].firstAvailable: Too many: 9: must have at most 8 items',
  ],
  [
    claim({ requests: [{ name: 'r', exactly: exactly({ count: -1 }) }] }),
    'spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero',
  ],
  [
    claim({
      requests: [
        {
          name: 'r',
          exactly: exactly({
            tolerations: [
              { operator: 'Exists', key: 'k', value: 'v' },
              { operator: 'Like', effect: 'Run' },
            ],
          }),
        },
      ],
    }),
    'spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "v": must be empty for operator `Exists`',
    'spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: "Like": supported values: "Equal", "Exists"',
    'spec.devices.requests[0].exactly.tolerations[1].effect: Unsupported value: "Run": supported values: "NoExecute", "NoSchedule", "None"',
  ],
  [
    claim({ requests: [{ name: 'r', exactly: exactly() }], constraints: [{ requests: ['r', 's', 'r/s/t'], matchAttribute: 'model' }, {}] }),
    `spec.devices.constraints[0].requests[1]: Invalid value: "s": ${NO_REQUEST}`,
    `spec.devices.constraints[0].requests[2]: Invalid value: "r/s/t": ${NO_REQUEST}`,
    'spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash',
    'spec.devices.constraints[1]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
  ],
  [
    claim({ requests: [{ name: 'r', exactly: exactly() }], config: [{ opaque: { driver: 'gpu.example.com', parameters: 1 } }, {}] }),
    'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
    'spec.devices.config[1].opaque: Required value',
  ],
  [
    deviceClass({ extendedResourceName: 'kubernetes.io/gpu' }),
    'spec.extendedResourceName: Invalid value: "kubernetes.io/gpu": must be a valid extended resource name',
  ],
  [deviceClass({ selectors: many(33, () => ({ cel: { expression: 'true' } })) }), 'spec.selectors: Too many: 33: must have at most 32 items'],
  [deviceClass({ config: [{}] }), 'spec.config[0].opaque: Required value'],
  [
    deviceClass({ selectors: [{ cel: { expression: `"${'x'.repeat(10240)}" != ""` } }] }),
    'spec.selectors[0].cel.expression: Too long: may not be more than 10240 bytes',
  ],
  [slice({ nodeName: undefined }), 'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'],
  [slice({ allNodes: true }), `spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${MANY_PLACES}`],
  [slice({ allNodes: false }), 'spec.allNodes: Invalid value: false: must be either unset or set to true'],
  [slice({ pool: { name: 'p', resourceSliceCount: 1, generation: -1 } }), 'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero'],
  [slice({ driver: `${'d'.repeat(60)}.com` }), 'spec.driver: Too long: may not be more than 63 bytes'],
  [
    devices({}, { sharedCounters: [{ name: 'c', counters: { m: { value: '1' } } }] }),
    'spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed',
  ],
  [slice({ sharedCounters: [{ name: 'c', counters: {} }] }), 'spec.sharedCounters[0].counters: Required value'],
  [slice({ devices: many(65, (i) => ({ name: `d${i}`, taints: [{ key: 'k', effect: 'None' }] })) }), 'spec.devices: Too many: 65: must have at most 64 items'],
  [slice({ devices: [{ name: 'd' }, { name: 'd' }] }), 'spec.devices[1]: Duplicate value: "d"'],
  [devices({ attributes: { a: {} } }), 'spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified'],
  [
    devices({ attributes: { a: { version: '1.2' } } }),
    'spec.devices[0].attributes[a].version: Invalid value: "1.2": must be a string compatible with semver.org spec 2.0.0',
  ],
  [devices({ attributes: { a: { string: 'x'.repeat(65) } } }), 'spec.devices[0].attributes[a].string: Too long: may not be more than 64 bytes'],
  [devices({ attributes: { 'a/b/c': { int: 1 } } }), 'spec.devices[0].attributes: Invalid value: "a/b/c": must not contain more than one slash'],
  [devices({ attributes: { '/b': { int: 1 } } }), 'spec.devices[0].attributes: Invalid value: "": the domain must not be empty'],
  [
    devices({ attributes: Object.fromEntries(many(33, (i) => [`a${i}`, { int: i }])) }),
    'spec.devices[0]: Invalid value: 33: the total number of attributes and capacities must not exceed 32',
  ],
  [devices({ taints: [{ key: 'k', effect: '' }] }), 'spec.devices[0].taints[0].effect: Required value'],
  [
    devices({ nodeName: 'n' }),
    'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
  ],
  [devices({}, { nodeName: undefined, perDeviceNodeSelection: true }), `spec.devices[0]: Required value: ${ONE_PLACE_OF_A_DEVICE}`],
  [
    devices({ bindingConditions: ['a', 'a'] }),
    'spec.devices[0].bindingConditions[1]: Duplicate value: "a"',
    'spec.devices[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions',
  ],
  [devices({ consumesCounters: [{ counterSet: 'c', counters: {} }] }), 'spec.devices[0].consumesCounters[0].counters: Required value'],
];

describe('what is wrong with claims, classes and slices', () => {
  test.each(CASES.map(([object, ...errors]) => ({ object, errors })))('$errors', ({ object, errors }) => expect(admit(object).errors).toEqual(errors));
});

test('what is right passes', () => {
  const sound = [
    claim({
      requests: [
        { name: 'r', exactly: exactly({ count: 2, tolerations: [{ operator: 'Exists' }] }) },
        { name: 's', firstAvailable: [{ name: 'a', ...exactly({ allocationMode: 'All' }) }] },
      ],
      constraints: [{ requests: ['r', 's/a'], matchAttribute: 'gpu.example.com/model' }],
      config: [{ requests: ['s'], opaque: { driver: 'GPU.example.com', parameters: { a: 1 } } }],
    }),
    deviceClass({ extendedResourceName: 'example.com/gpu' }),
    devices({
      attributes: { model: { string: 'k' }, 'gpu.example.com/driver': { version: '1.2.3-rc.1+b' } },
      capacity: { memory: { value: '80Gi' } },
      consumesCounters: [{ counterSet: 'c', counters: { m: { value: '1' } } }],
    }),
    slice({ nodeName: undefined, perDeviceNodeSelection: true, devices: [{ name: 'd', allNodes: true }], pool: { name: 'a/b', resourceSliceCount: 1 } }),
  ];
  for (const object of sound) expect(admit(object).errors).toEqual([]);
});
