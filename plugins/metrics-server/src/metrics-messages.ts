import type { FieldSchema, StructSchema } from '@coxswain/api';

const usage = (proto: number): FieldSchema => ({ type: { kind: 'map', values: { kind: 'quantity' } }, proto });

const head: StructSchema['fields'] = {
  metadata: { type: { kind: 'ref', name: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }, proto: 1, zero: 'emit' },
  timestamp: { type: { kind: 'time' }, proto: 2, zero: 'emit' },
  window: { type: { kind: 'duration' }, proto: 3, zero: 'emit' },
};

/** `k8s.io.metrics.pkg.apis.metrics.v1beta1.NodeMetrics` */
export const nodeMetricsMessage: StructSchema = { fields: { ...head, usage: usage(4) } };

/** `k8s.io.metrics.pkg.apis.metrics.v1beta1.PodMetrics` */
export const podMetricsMessage: StructSchema = {
  fields: {
    ...head,
    containers: {
      type: { kind: 'list', items: { kind: 'struct', fields: { name: { type: { kind: 'string' }, proto: 1, zero: 'emit' }, usage: usage(2) } } },
      proto: 4,
    },
  },
};
