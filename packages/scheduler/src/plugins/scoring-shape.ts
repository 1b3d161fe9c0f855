import { MAX_NODE_SCORE } from './normalize.js';

/** One corner of a function of utilization: 0–100 % is worth 0–10. */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}

const MAX_SHAPE_SCORE = 10;

/** The function through the points, in node scores; flat before the first and after the last. In whole numbers, as upstream counts. */
export function scoringShape(points: readonly ShapePoint[]): (utilization: number) => number {
  const corners = points.map((p) => ({ utilization: p.utilization, score: p.score * (MAX_NODE_SCORE / MAX_SHAPE_SCORE) }));
  return (utilization) => {
    for (let i = 0; i < corners.length; i++) {
      const to = corners[i] as ShapePoint;
      if (utilization > to.utilization) continue;
      const from = corners[i - 1];
      if (!from) return to.score;
      return from.score + Math.trunc(((to.score - from.score) * (utilization - from.utilization)) / (to.utilization - from.utilization));
    }
    return corners.at(-1)?.score ?? 0;
  };
}
