import type { HorizontalPodAutoscaler } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { metricTargets } from '../../printing/hpa-cells.js';
import { horizontalPodAutoscalerStatusStrategy, horizontalPodAutoscalerStrategy, horizontalPodAutoscalerV1Strategy } from '../../strategies/autoscaling.js';
import { defineGroup, type Row } from '../define.js';
import { hpaFromV1, hpaToV1 } from './hpa-v1-conversion.js';

const v2: Row = {
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  strategy: horizontalPodAutoscalerStrategy,
  status: horizontalPodAutoscalerStatusStrategy,
  columns: [
    nameColumn,
    column<HorizontalPodAutoscaler>('Reference', ({ spec }) => `${spec?.scaleTargetRef.kind}/${spec?.scaleTargetRef.name}`),
    column<HorizontalPodAutoscaler>('Targets', metricTargets),
    column<HorizontalPodAutoscaler>('MinPods', ({ spec }) => String(spec?.minReplicas ?? '<unset>')),
    column<HorizontalPodAutoscaler>('MaxPods', ({ spec }) => spec?.maxReplicas ?? 0),
    column<HorizontalPodAutoscaler>('Replicas', ({ status }) => status?.currentReplicas ?? 0),
    ageColumn,
  ],
};

const v1: Row = {
  ...v2,
  strategy: horizontalPodAutoscalerV1Strategy,
  columns: (v2.columns ?? []).map((each) => ({ ...each, cell: (object, now) => each.cell(hpaFromV1(object), now) })),
  storageVersion: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
  toStorage: hpaFromV1,
  fromStorage: hpaToV1,
};

/** v2 first: it is the preferred version. */
export const autoscaling = [
  ...defineGroup('autoscaling', 'v2', 'io.k8s.api.autoscaling.v2', [v2]),
  ...defineGroup('autoscaling', 'v1', 'io.k8s.api.autoscaling.v1', [v1]),
];
