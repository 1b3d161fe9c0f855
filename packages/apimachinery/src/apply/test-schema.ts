import type { SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';

const string: TypeSchema = { kind: 'string' };
const integer: TypeSchema = { kind: 'integer', format: 'int32' };
const strings: TypeSchema = { kind: 'map', values: string };
const ref = (name: string): TypeSchema => ({ kind: 'ref', name });

/** A small Deployment-like API for tests: one of each thing that merges in its own way. */
const structs: Record<string, StructSchema> = {
  Deployment: {
    fields: {
      apiVersion: { type: string },
      kind: { type: string },
      metadata: { type: ref('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') },
      spec: { type: ref('Spec') },
      status: { type: ref('Status') },
    },
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': {
    fields: {
      name: { type: string },
      namespace: { type: string },
      uid: { type: string },
      resourceVersion: { type: string },
      generation: { type: integer },
      creationTimestamp: { type: { kind: 'time' } },
      labels: { type: strings },
      annotations: { type: strings },
      finalizers: { type: { kind: 'list', items: string, listType: 'set' }, patchStrategy: ['merge'] },
      managedFields: { type: { kind: 'list', items: { kind: 'any' } } },
    },
  },
  Spec: {
    fields: {
      replicas: { type: integer },
      selector: { type: ref('Selector') },
      strategy: { type: ref('Strategy'), patchStrategy: ['retainKeys'] },
      containers: {
        type: { kind: 'list', items: ref('Container'), listType: 'map', listMapKeys: ['name'] },
        required: true,
        patchStrategy: ['merge'],
        patchMergeKey: 'name',
      },
      args: { type: { kind: 'list', items: string } },
      raw: { type: { kind: 'any' } },
    },
  },
  Selector: { atomic: true, fields: { matchLabels: { type: strings } } },
  Strategy: { fields: { type: { type: string }, rollingUpdate: { type: ref('Rolling') } } },
  Rolling: { fields: { maxSurge: { type: { kind: 'intOrString' } } } },
  Container: {
    fields: {
      name: { type: string, required: true },
      image: { type: string },
      env: { type: { kind: 'list', items: ref('Env'), listType: 'map', listMapKeys: ['name'] }, patchStrategy: ['merge'], patchMergeKey: 'name' },
      ports: {
        type: { kind: 'list', items: ref('Port'), listType: 'map', listMapKeys: ['containerPort', 'protocol'] },
        patchStrategy: ['merge'],
        patchMergeKey: 'containerPort',
      },
    },
  },
  Env: { fields: { name: { type: string }, value: { type: string } } },
  Port: { fields: { containerPort: { type: integer }, protocol: { type: string, default: 'TCP' }, hostPort: { type: integer } } },
  Status: { fields: { ready: { type: integer } } },
};

export const testLookup: SchemaLookup = (name) => {
  const found = structs[name];
  if (!found) throw new Error(`no struct ${name}`);
  return found;
};

export const testSchema: TypeSchema = ref('Deployment');
